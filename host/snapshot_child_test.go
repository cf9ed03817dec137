package host_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// The test binary is also the process that is killed and the one that goes on:
// what it is to be stands in its environment.
const (
	childRole   = "TURNWASM_CHILD"
	childServer = "TURNWASM_CHILD_SERVER"
	childPeer   = "TURNWASM_CHILD_PEER"
	childFile   = "TURNWASM_CHILD_FILE"
	childEngine = "TURNWASM_CHILD_ENGINE"
)

// child says on its standard output what it does, a line each.
func child(role string) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	do := keepSaving
	if role == "restore" {
		do = goOn
	}
	if err := do(ctx, os.Getenv(childFile)); err != nil {
		fmt.Println("failed", err)
		return 1
	}
	return 0
}

func childRuntime(ctx context.Context) (*host.Runtime, error) {
	engine := host.Native
	if os.Getenv(childEngine) == host.Wasm.String() {
		engine = host.Wasm
	}
	return host.New(ctx, host.WithEngine(engine))
}

// keepSaving allocates, echoes without end, and saves a snapshot now and then.
func keepSaving(ctx context.Context, file string) error {
	rt, err := childRuntime(ctx)
	if err != nil {
		return err
	}
	cfg := host.Config{URL: "turn:" + os.Getenv(childServer), Username: hosttest.Username, Password: hosttest.Password}
	c, err := rt.Dial(ctx, cfg)
	if err != nil {
		return err
	}
	peer := netip.MustParseAddrPort(os.Getenv(childPeer))
	if err := c.BindChannel(ctx, peer); err != nil {
		return err
	}
	for n := 1; ; n++ {
		if _, err := echoMany(c, peer, 10); err != nil {
			return err
		}
		sealed, err := c.Snapshot(snapshotKey)
		if err == nil {
			err = os.WriteFile(file+".new", sealed, 0o600)
		}
		if err == nil {
			err = os.Rename(file+".new", file)
		}
		if err != nil {
			return err
		}
		fmt.Println("saved", n, c.Relayed(), c.Local())
	}
}

// goOn restores, echoes, and closes.
func goOn(ctx context.Context, file string) error {
	rt, err := childRuntime(ctx)
	if err != nil {
		return err
	}
	sealed, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	c, err := rt.Restore(ctx, sealed, snapshotKey, host.Config{})
	if err != nil {
		return err
	}
	fmt.Println("restored", c.Relayed(), c.Local())
	for outside := 0; outside == 0 && ctx.Err() == nil; { // both kinds of traffic go on
		if outside, err = echoMany(c, netip.MustParseAddrPort(os.Getenv(childPeer)), 100); err != nil {
			return err
		}
	}
	closed, err := c.CloseWith(ctx, 5*time.Second)
	fmt.Println("closed", closed.Outcome, closed.Reason)
	return err
}

// echoMany waits for so many payloads to come back, and sends one for each that
// has, or is given up. What outsiders send meanwhile is passed over and counted.
func echoMany(c *host.Conn, peer netip.AddrPort, n int) (outside int, err error) {
	buf := make([]byte, 2048)
	for got, sent := 0, 0; got < n; {
		if sent++; sent > 20*n {
			return outside, fmt.Errorf("%d of %d payloads came back", got, sent)
		}
		if _, err := c.WriteTo([]byte("echo"), net.UDPAddrFromAddrPort(peer)); err != nil {
			return outside, err
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		for {
			size, from, err := c.ReadFrom(buf)
			if err != nil {
				break // lost
			}
			if string(buf[:size]) == "echo" && from.String() == peer.String() {
				got++
				break
			}
			outside++
		}
	}
	fmt.Println("echoed", n, "outside", outside)
	return outside, nil
}

// process is a child under way.
type process struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func startChild(t *testing.T, role string, env ...string) *process {
	t.Helper()
	cmd := exec.CommandContext(soon(t), os.Args[0])
	cmd.Env = append(append(os.Environ(), env...), childRole+"="+role)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &process{cmd, bufio.NewScanner(out)}
}

// line waits for the next line that begins with the word, and answers the rest.
func (p *process) line(t *testing.T, word string) []string {
	t.Helper()
	for p.lines.Scan() {
		fields := strings.Fields(p.lines.Text())
		switch {
		case len(fields) > 0 && fields[0] == "failed":
			t.Fatal(p.lines.Text())
		case len(fields) > 0 && fields[0] == word:
			return fields[1:]
		}
	}
	t.Fatalf("the process ends before it says %q", word)
	return nil
}

// pester sends to the relayed address what nobody asked for, all the while.
func pester(t *testing.T, relayed netip.AddrPort) {
	t.Helper()
	sock, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
			if _, err := sock.WriteToUDPAddrPort([]byte("from outside"), relayed); err != nil && !strings.Contains(err.Error(), "refused") {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = sock.Close()
		<-done
	})
}

// A process is killed in the middle of its traffic, and another one goes on
// from what it has saved: the same relayed address, and nothing is left at its
// close.
func TestKilledAndRestoredInAnotherProcess(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) hosttest.Server{
		"pion":   func(t *testing.T) hosttest.Server { return hosttest.NeedPion(t, hosttest.PionOptions{}) },
		"coturn": func(t *testing.T) hosttest.Server { return hosttest.NeedCoturn(t) },
	} {
		for _, engine := range []host.Engine{host.Native, host.Wasm} {
			t.Run(name+"/"+engine.String(), func(t *testing.T) { testKilled(t, start(t), engine) })
		}
	}
}

func testKilled(t *testing.T, server hosttest.Server, engine host.Engine) {
	echo := hosttest.NeedEcho(t)
	env := []string{
		childServer + "=" + server.Addr().String(), childPeer + "=" + echo.Addr().String(),
		childFile + "=" + filepath.Join(t.TempDir(), "snapshot"), childEngine + "=" + engine.String(),
	}
	first := startChild(t, "save", env...)
	saved := first.line(t, "saved")
	pester(t, netip.MustParseAddrPort(saved[1]))
	for range 5 {
		saved = first.line(t, "saved")
	}
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.cmd.Wait()
	wantHeld(t, server, 1)

	second := startChild(t, "restore", env...)
	if restored := second.line(t, "restored"); restored[0] != saved[1] || restored[1] != saved[2] {
		t.Errorf("restored on %v, want %v", restored, saved[1:])
	}
	if closed := second.line(t, "closed"); closed[0] != client.Released.String() {
		t.Errorf("closed: %v", closed)
	}
	if err := second.cmd.Wait(); err != nil {
		t.Error(err)
	}
	wantHeld(t, server, 0)
}
