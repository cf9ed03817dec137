package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// stage is what stands around a host: the servers, the peer, and the files that
// it is given.
type stage struct {
	dir         string
	servers     []ht.Server
	peer        *ht.Echo
	transcripts string
	trap        string
}

// mostRun bounds one run of a quickstart.
const mostRun = 5 * time.Minute

func newStage(ctx context.Context) (s *stage, err error) {
	s = &stage{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.dir, err = os.MkdirTemp("", "embedding"); err != nil {
		return nil, err
	}
	s.transcripts, s.trap = filepath.Join(s.dir, "transcripts.jsonl"), filepath.Join(s.dir, "trap.wasm")
	for _, command := range []string{
		"go run ./wasm/internal/transcripts > " + s.transcripts,
		"go run ./wasm/internal/build -tags turntrap -o " + s.trap,
	} {
		if out, err := shell(ctx, command); err != nil {
			return s, fmt.Errorf("%s: %w\n%s", command, err, out)
		}
	}
	if s.peer, err = ht.StartEcho(netip.Addr{}); err != nil {
		return s, err
	}
	coturn, err := ht.StartCoturn(ctx)
	if err != nil {
		return s, err
	}
	s.servers = append(s.servers, coturn)
	pion, err := ht.StartPion(ht.PionOptions{})
	if err != nil {
		return s, err
	}
	s.servers = append(s.servers, pion)
	return s, nil
}

func (s *stage) close() {
	for _, server := range s.servers {
		_ = server.Close()
	}
	if s.peer != nil {
		_ = s.peer.Close()
	}
	_ = os.RemoveAll(s.dir)
}

// play builds the host and does with it all that there is.
func (s *stage) play(ctx context.Context, h host, echoes int) *result {
	r := &result{Host: h.name}
	begun := time.Now()
	if out, err := shell(ctx, h.build); err != nil {
		r.fail("build", fmt.Errorf("%s: %w\n%s", h.build, err, out))
		return r
	}
	r.BuildSeconds = time.Since(begun).Seconds()
	if h.echoes > 0 {
		echoes = min(echoes, h.echoes)
	}
	for _, server := range s.servers {
		r.fail("check on "+server.Name(), s.check(ctx, h, server, echoes, r))
	}
	if !h.inside {
		r.fail("transcripts", s.replay(ctx, h, r))
	}
	r.fail("leaks", s.leaks(ctx, h, r))
	r.fail("bad input", s.badInput(ctx, h, r))
	return r
}

// quickstart runs a subcommand and reads the lines that it prints.
func (s *stage) quickstart(ctx context.Context, h host, args ...string) (*lines, error) {
	ctx, cancel := context.WithTimeout(ctx, mostRun)
	defer cancel()
	all := append(append([]string{}, h.run...), args...)
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	l, bad := readLines(out.Bytes())
	if err = errors.Join(err, bad); err != nil {
		return nil, fmt.Errorf("%v: %w\n%s%s", all, err, tail(out.Bytes()), tail(stderr.Bytes()))
	}
	return l, nil
}

// tail is the end of what a program printed.
func tail(b []byte) []byte { return b[max(0, len(b)-4000):] }

// check: allocated, every payload back, released, nothing left on the server.
func (s *stage) check(ctx context.Context, h host, server ht.Server, echoes int, r *result) error {
	l, err := s.quickstart(ctx, h, "check", "-server", "turn:"+server.Addr().String(), "-username", ht.Username, "-password", ht.Password,
		"-peer", s.peer.Addr().String(), "-count", strconv.Itoa(echoes))
	if err != nil {
		return err
	}
	if l.one("allocated") == nil || l.one("closed").text("outcome") != "released" {
		return fmt.Errorf("not allocated and released: %v", l)
	}
	if back := int(l.one("echoed").number("received")); back != echoes {
		return fmt.Errorf("%d of %d echoes", back, echoes)
	}
	if held, err := server.Held(); err != nil || held != 0 {
		return fmt.Errorf("the server holds %d, %v", held, err)
	}
	r.figures(l.one("figures"))
	return nil
}

func (s *stage) replay(ctx context.Context, h host, r *result) error {
	l, err := s.quickstart(ctx, h, "transcripts", s.transcripts)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(s.transcripts)
	if err != nil {
		return err
	}
	r.Scripts = int(l.one("transcripts").number("scripts"))
	if want := bytes.Count(text, []byte{'\n'}); r.Scripts != want {
		return fmt.Errorf("%d of %d scripts", r.Scripts, want)
	}
	return nil
}

func (s *stage) leaks(ctx context.Context, h host, r *result) error {
	args := []string{"leaks"}
	if h.inside { // it talks to a server, then
		pion := s.servers[1]
		args = append(args, "-server", "turn:"+pion.Addr().String(), "-username", ht.Username, "-password", ht.Password)
	}
	l, err := s.quickstart(ctx, h, args...)
	if err != nil {
		return err
	}
	if r.Leaks = l.one("leaks"); r.Leaks == nil {
		return errors.New("it says nothing")
	}
	return nil
}

// badInput: a code and a text for each case.
func (s *stage) badInput(ctx context.Context, h host, r *result) error {
	args := []string{"bad-input"}
	if !h.inside {
		args = append(args, "-trap", s.trap)
	}
	l, err := s.quickstart(ctx, h, args...)
	if err != nil {
		return err
	}
	for _, line := range l.all("bad-input") {
		if line.text("case") == "" || line.text("text") == "" || line["code"] == nil {
			return fmt.Errorf("no code and text: %v", line)
		}
		r.BadInputs++
	}
	if r.BadInputs < 8 {
		return fmt.Errorf("only %d cases", r.BadInputs)
	}
	return nil
}
