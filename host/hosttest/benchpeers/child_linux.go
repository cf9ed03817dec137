package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// child is this program again, in a role. It ends when its standard input does,
// so that it does not outlive us whatever we die of.
type child struct {
	role   string
	cmd    *exec.Cmd
	orders io.WriteCloser
	says   *bufio.Reader
	errs   strings.Builder
	cancel context.CancelFunc
	ending sync.Once
	ended  error
}

const (
	childLives = 60 * time.Second // of any child, at most
	idleLives  = 15 * time.Minute // 100,000 clients take minutes
	childLeave = 5 * time.Second  // to end after its input has
)

func lifeOf(role string) time.Duration {
	if role == "idle" {
		return idleLives
	}
	return childLives
}

// cacheHome is where the children's compile cache is; "" is the user's.
var cacheHome string

// startChild starts a role with a descriptor that it finds as its number 3.
func startChild(ctx context.Context, role string, s *spec, extra *os.File) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lifeOf(role))
	c := &child{role: role + " " + s.Who, cancel: cancel}
	c.cmd = exec.CommandContext(ctx, self, "-role", role, "-spec", s.encode())
	c.cmd.Stderr = &c.errs
	c.cmd.WaitDelay = time.Second
	if cacheHome != "" {
		c.cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cacheHome)
	}
	if extra != nil {
		c.cmd.ExtraFiles = []*os.File{extra}
	}
	var says io.ReadCloser
	if c.orders, err = c.cmd.StdinPipe(); err == nil {
		says, err = c.cmd.StdoutPipe()
	}
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, err
	}
	c.says = bufio.NewReader(says)
	return c, nil
}

func (c *child) order(format string, args ...any) error {
	_, err := fmt.Fprintf(c.orders, format+"\n", args...)
	return err
}

// line reads what the child says next.
func (c *child) line() (string, error) {
	line, err := c.says.ReadString('\n')
	if err != nil {
		return "", errors.Join(fmt.Errorf("%s says nothing: %w", c.role, err), c.end())
	}
	return strings.TrimSpace(line), nil
}

func (c *child) answer(v any) error {
	line, err := c.line()
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(line), v); err != nil {
		return fmt.Errorf("%s said %q: %w", c.role, line, err)
	}
	return nil
}

// end lets the child end, and kills it when it does not.
func (c *child) end() error {
	c.ending.Do(func() { c.ended = c.wait() })
	return c.ended
}

func (c *child) wait() error {
	defer c.cancel()
	c.orders.Close()
	defer time.AfterFunc(childLeave, c.cancel).Stop()
	_, _ = io.Copy(io.Discard, c.says)
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %s", c.role, err, strings.TrimSpace(c.errs.String()))
	}
	return nil
}
