package hosttest

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// coturnCLI is coturn's command line interface: a password, then commands, over
// TCP. Each question is a connection of its own.
type coturnCLI struct {
	addr     netip.AddrPort
	password string
}

// cliPatience is for a single question; an answer takes a few milliseconds.
const cliPatience = 3 * time.Second

// ready waits until the interface answers.
func (c coturnCLI) ready(ctx context.Context) error {
	for {
		_, err := c.held()
		if err == nil {
			return nil
		}
		if pause(ctx, heldEvery); ctx.Err() != nil {
			return fmt.Errorf("coturn's CLI: %w", err)
		}
	}
}

// held reads the line "  Total sessions: N" that ps ends with.
func (c coturnCLI) held() (int, error) {
	answer, err := c.ask("ps")
	if err != nil {
		return 0, err
	}
	_, after, found := strings.Cut(answer, "Total sessions:")
	if !found {
		return 0, fmt.Errorf("coturn's CLI answered %q", answer)
	}
	number, _, _ := strings.Cut(after, "\r\n")
	return strconv.Atoi(strings.TrimSpace(number))
}

// cancelAll gives the command cs for each line "    1) id=NUMBER, ..." of ps.
func (c coturnCLI) cancelAll() error {
	answer, err := c.ask("ps")
	if err != nil {
		return err
	}
	for _, session := range strings.Split(answer, " id=")[1:] {
		id, _, _ := strings.Cut(session, ",")
		if _, err := c.ask("cs " + id); err != nil {
			return err
		}
	}
	return nil
}

// ask sends one command and returns what stands between the prompts. coturn
// takes each read as one line, so every line waits for the prompt before it.
func (c coturnCLI) ask(command string) (string, error) {
	conn, err := net.DialTimeout("tcp", c.addr.String(), cliPatience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(cliPatience)); err != nil {
		return "", err
	}
	r := bufio.NewReader(conn)
	for _, step := range []struct{ prompt, line string }{{"password:", c.password}, {"> ", command}} {
		if _, err := readUntil(r, step.prompt); err != nil {
			return "", err
		}
		if _, err := fmt.Fprintf(conn, "%s\r\n", step.line); err != nil {
			return "", err
		}
	}
	return readUntil(r, "> ")
}

func readUntil(r *bufio.Reader, end string) (string, error) {
	var got strings.Builder
	for !strings.HasSuffix(got.String(), end) {
		b, err := r.ReadByte()
		if err != nil {
			return "", fmt.Errorf("coturn's CLI said %q: %w", got.String(), err)
		}
		got.WriteByte(b)
	}
	return got.String(), nil
}
