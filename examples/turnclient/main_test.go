package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

func TestMain(m *testing.M) {
	if os.Getenv("TURNCLIENT_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// program is the real one, in a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = append(os.Environ(), "TURNCLIENT_MAIN=1")
	return cmd
}

// record is any line of -json.
type record struct {
	Event, Relayed, Mapped, Method, Reason, Outcome, Until string
	Lifetime, Code, Sent, Received                         int
	RoundTripMS, RTOMS                                     float64
	ReuseAfterMS                                           int
	Signed, Kept                                           bool
}

// turnclient runs the program with -json and the right credentials, and answers
// its records and exit code.
func turnclient(t *testing.T, server netip.AddrPort, args ...string) ([]record, int) {
	t.Helper()
	return turnclientAt(t, server.String(), args...)
}

// turnclientAt takes what stands behind turn: in the URL.
func turnclientAt(t *testing.T, server string, args ...string) ([]record, int) {
	t.Helper()
	args = append([]string{"-json", "-user", ht.Username, "-pass", ht.Password}, args...)
	cmd := program(t, append(args, "turn:"+server)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, _ := cmd.Output()
	if stderr.Len() != 0 {
		t.Errorf("%v: on stderr:\n%s", args, stderr.String())
	}
	return records(t, out), cmd.ProcessState.ExitCode()
}

func records(t *testing.T, out []byte) (list []record) {
	t.Helper()
	for line := range bytes.Lines(out) {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		list = append(list, r)
	}
	return list
}

// wantEvents checks the kinds of the records, in order.
func wantEvents(t *testing.T, got []record, want ...string) {
	t.Helper()
	var events []string
	for _, r := range got {
		events = append(events, r.Event)
	}
	if strings.Join(events, " ") != strings.Join(want, " ") {
		t.Fatalf("events %v, want %v: %+v", events, want, got)
	}
}

func wantExit(t *testing.T, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("exit %d, want %d", got, want)
	}
}

func wantHeld(t *testing.T, s ht.Server, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if n, err := ht.AwaitHeld(ctx, s, want); n != want || err != nil {
		t.Fatalf("%s holds %d allocations, want %d: %v", s.Name(), n, want, err)
	}
}

func servers(t *testing.T, test func(t *testing.T, s ht.Server)) {
	t.Run("coturn", func(t *testing.T) { t.Parallel(); test(t, ht.NeedCoturn(t)) })
	t.Run("pion", func(t *testing.T) { t.Parallel(); test(t, ht.NeedPion(t, ht.PionOptions{})) })
}

func TestAllIsWell(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"wasm", "native"} {
		t.Run(engine, func(t *testing.T) {
			servers(t, func(t *testing.T, s ht.Server) {
				got, code := turnclient(t, s.Addr(), "-engine", engine, "-n", "20")
				wantExit(t, code, 0)
				wantEvents(t, got, "allocated", "echoed", "closed")
				if got[0].Lifetime != 600 || got[0].Relayed == "" || got[0].Mapped == "" {
					t.Errorf("allocated %+v", got[0])
				}
				if got[1].Sent != 20 || got[1].Received != 20 {
					t.Errorf("echoed %+v, want 20 of 20", got[1])
				}
				if got[2].Outcome != "released" || got[2].ReuseAfterMS != 2000 || got[2].Until != "" {
					t.Errorf("closed %+v", got[2])
				}
				wantHeld(t, s, 0)
			})
		})
	}
}

func TestFamily(t *testing.T) {
	t.Parallel()
	s := ht.NeedPion(t, ht.PionOptions{Listen: netip.MustParseAddrPort("[::1]:0")})
	got, code := turnclient(t, s.Addr(), "-family", "6", "-n", "5")
	wantExit(t, code, 0)
	wantEvents(t, got, "allocated", "echoed", "closed")
	if !strings.HasPrefix(got[0].Relayed, "[::1]:") {
		t.Errorf("relayed %s, want an IPv6 address", got[0].Relayed)
	}
	wantHeld(t, s, 0)
}

func TestForeignPeer(t *testing.T) {
	t.Parallel()
	s, echo := ht.NeedPion(t, ht.PionOptions{}), ht.NeedEcho(t)
	got, code := turnclient(t, s.Addr(), "-peer", echo.Addr().String(), "-n", "5")
	wantExit(t, code, 0)
	wantEvents(t, got, "allocated", "echoed", "closed")
	if echo.Echoed() != 5 {
		t.Errorf("the peer echoed %d payloads, want 5", echo.Echoed())
	}
}

func TestHumanOutput(t *testing.T) {
	t.Parallel()
	s := ht.NeedPion(t, ht.PionOptions{})
	out, err := program(t, "-user", ht.Username, "-pass", ht.Password, "-n", "3", "turn:"+s.Addr().String()).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"allocated  127.0.0.1:", "for 10m0s", "echoed     3 of 3;", "closed     released in"} {
		if !strings.Contains(string(out), part) {
			t.Errorf("the output lacks %q:\n%s", part, out)
		}
	}
}

func TestCloseAt(t *testing.T) {
	t.Parallel()
	outcomes := map[string]string{
		"new": "nothing_to_release", "allocating": "nothing_to_release",
		"authenticated": "released", "allocated": "released",
	}
	servers(t, func(t *testing.T, s ht.Server) {
		for state, outcome := range outcomes {
			got, code := turnclient(t, s.Addr(), "-close-at", state)
			wantExit(t, code, 0)
			wantEvents(t, got, "closed")
			if got[0].Outcome != outcome {
				t.Errorf("closed at %s: %+v, want %s", state, got[0], outcome)
			}
		}
		wantHeld(t, s, 0)
	})
}

func TestCyclesKeepThePort(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, s ht.Server) {
		p := ht.NeedProxy(t, s)
		trace := filepath.Join(t.TempDir(), "trace.pcapng")
		got, code := turnclient(t, p.Addr(), "-cycles", "2", "-trace", trace)
		wantExit(t, code, 0)
		wantEvents(t, got, "allocated", "closed", "allocated", "closed")
		log := p.Log()
		for _, r := range log {
			if r.Client != log[0].Client || r.Code == 437 {
				t.Errorf("%v from %v, want only %v and no 437", r, r.Client, log[0].Client)
			}
		}
		wantHeld(t, s, 0)
		data, err := os.ReadFile(trace)
		if err != nil || !bytes.HasPrefix(data, []byte{0x0a, 0x0d, 0x0d, 0x0a}) {
			t.Errorf("the trace is no pcapng file: %v", err)
		}
		for _, r := range log {
			if !bytes.Contains(data, r.Data) {
				t.Errorf("the trace lacks %v", r)
			}
		}
	})
}

// started runs the program until it has allocated and holds.
func started(t *testing.T, args ...string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := program(t, append([]string{"-json", "-user", ht.Username, "-pass", ht.Password, "-n", "0", "-hold", "1h"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, `"allocated"`) {
		t.Fatalf("first line %q: %v", line, err)
	}
	return cmd, lines
}

func TestHandsOver(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, s ht.Server) {
		file, key := filepath.Join(t.TempDir(), "snapshot"), strings.Repeat("5a", 32)
		first, code := turnclient(t, s.Addr(), "-n", "5", "-snapshot", file, "-snapshot-key", key)
		wantExit(t, code, 0)
		wantEvents(t, first, "allocated", "echoed", "closed")
		wantHeld(t, s, 1)
		second, code := turnclient(t, s.Addr(), "-n", "5", "-restore", file, "-snapshot-key", key)
		wantExit(t, code, 0)
		wantEvents(t, second, "allocated", "echoed", "closed")
		if first[2].Outcome != "handed_over" || second[0].Relayed != first[0].Relayed || second[2].Outcome != "released" {
			t.Errorf("first %+v, second %+v", first, second)
		}
		wantHeld(t, s, 0)
	})
}

func TestPath(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, s ht.Server) {
		got, code := turnclient(t, s.Addr(), "-path", "-n", "0")
		wantExit(t, code, 0)
		wantEvents(t, got, "allocated", "path", "closed")
		if p := got[1]; p.RoundTripMS <= 0 || p.RTOMS < 500 {
			t.Errorf("path %+v", p)
		}
	})
}

func TestReclaimsAfterAKill(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, s ht.Server) {
		local := freePort(t)
		killed, _ := started(t, "-local", local, "turn:"+s.Addr().String())
		killed.Process.Kill()
		killed.Wait()
		wantHeld(t, s, 1)
		got, code := turnclient(t, s.Addr(), "-local", local, "-n", "5")
		wantExit(t, code, 0)
		wantEvents(t, got, "allocated", "echoed", "closed")
		if got[0].Mapped != local {
			t.Errorf("allocated from %s, want %s", got[0].Mapped, local)
		}
		wantHeld(t, s, 0)
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	sock, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer sock.Close()
	return sock.LocalAddr().String()
}

func TestSignalsRelease(t *testing.T) {
	t.Parallel()
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(sig.String(), func(t *testing.T) {
			s := ht.NeedPion(t, ht.PionOptions{})
			cmd, lines := started(t, "turn:"+s.Addr().String())
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(lines)
			if err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			wantExit(t, cmd.ProcessState.ExitCode(), 0)
			got := records(t, rest)
			wantEvents(t, got, "closed")
			if got[0].Outcome != "released" {
				t.Errorf("closed %+v, want released", got[0])
			}
			wantHeld(t, s, 0)
		})
	}
}

// What few ask for, and what came of it.
func TestOptions(t *testing.T) {
	server := ht.NeedPion(t, ht.PionOptions{})
	records, code := turnclient(t, server.Addr(), "-n", "1", "-even-port", "reserve", "-dont-fragment", "-keepalive", "10s")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	events := map[string]int{}
	for _, r := range records {
		events[r.Event] = r.Code
	}
	if _, ok := events["reserved"]; !ok || events["refused"] != 420 {
		t.Errorf("%+v, want a reserved port and DONT-FRAGMENT refused", records)
	}
	if records, code = turnclient(t, server.Addr(), "-n", "1", "-family", "both"); code != 0 {
		t.Errorf("-family both: exit code %d, %+v", code, records)
	}
}

// The allocation moves in the midst of the echoes, and they go on; where the
// server cannot move it the failure says so.
func TestRebind(t *testing.T) {
	server := ht.NeedCoturn(t, "--mobility")
	got, code := turnclient(t, server.Addr(), "-n", "20", "-rebind-at", "10", "-engine", "native")
	if code != 0 {
		t.Errorf("exit code %d, %+v", code, got)
	}
	wantEvents(t, got, "allocated", "moved", "echoed", "closed")
	if !got[1].Kept || got[1].Relayed != got[0].Relayed || got[2].Received == 0 {
		t.Errorf("%+v, want the relayed address kept", got)
	}
	wantHeld(t, server, 0)

	pion := ht.NeedPion(t, ht.PionOptions{})
	if got, code = turnclient(t, pion.Addr(), "-n", "20", "-rebind-at", "10", "-engine", "native"); code != 1 {
		t.Errorf("pion: exit code %d, %+v", code, got)
	}
	wantEvents(t, got, "allocated", "failed", "closed")
	wantHeld(t, pion, 0)
}

func TestRedirectIsFollowed(t *testing.T) {
	there := ht.NeedPion(t, ht.PionOptions{})
	here := ht.NeedCoturn(t, "--alternate-server="+there.Addr().String())
	records, code := turnclient(t, here.Addr(), "-n", "1", "-redirect", "any")
	if code != 0 || len(records) < 4 || records[0].Event != "redirected" {
		t.Errorf("exit code %d, %+v", code, records)
	}
	if records, code = turnclient(t, here.Addr(), "-n", "1"); code == 0 {
		t.Errorf("an unsigned 300 is followed unasked: %+v", records)
	}
}
