package main

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// failure runs the program and answers the record of what failed; the last
// record is always the close.
func failure(t *testing.T, server netip.AddrPort, args ...string) record {
	t.Helper()
	got, code := turnclient(t, server, args...)
	wantExit(t, code, 1)
	if len(got) < 2 || got[len(got)-1].Event != "closed" || got[len(got)-2].Event != "failed" {
		t.Fatalf("records %+v, want a failure and the close", got)
	}
	return got[len(got)-2]
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	want := map[string]int{"coturn": 401, "pion": 400}
	servers(t, func(t *testing.T, s ht.Server) {
		f := failure(t, s.Addr(), "-pass", "wrong")
		if f.Method != "Allocate" || f.Code != want[s.Name()] {
			t.Errorf("failed %+v, want Allocate %d", f, want[s.Name()])
		}
		wantHeld(t, s, 0)
	})
}

func TestQuota(t *testing.T) {
	t.Parallel()
	s := ht.NeedPion(t, ht.PionOptions{Quota: 1})
	first, err := ht.DialRaw(netip.AddrPort{}, s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if m, err := first.Allocate(t.Context()); err != nil || m.Code != 0 {
		t.Fatalf("planting: %v %v", m, err)
	}
	if f := failure(t, s.Addr()); f.Method != "Allocate" || f.Code != 486 {
		t.Errorf("failed %+v, want Allocate 486", f)
	}
	wantHeld(t, s, 1)
}

func TestRefusedPeer(t *testing.T) {
	t.Parallel()
	s := ht.NeedPion(t, ht.PionOptions{Deny: []netip.Addr{netip.MustParseAddr("127.0.0.1")}})
	if f := failure(t, s.Addr()); f.Method != "CreatePermission" || f.Code != 403 && f.Code != 401 && f.Code != 400 {
		t.Errorf("failed %+v, want CreatePermission refused", f)
	}
	wantHeld(t, s, 0)
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	sock, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	server := sock.LocalAddr().(*net.UDPAddr).AddrPort()
	sock.Close()
	if f := failure(t, server); f.Method != "Allocate" || f.Code != 0 || f.Reason == "" {
		t.Errorf("failed %+v, want Allocate without a code", f)
	}
}

func TestInterruptedWhileTheServerIsSilent(t *testing.T) {
	t.Parallel()
	sock, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer sock.Close()
	var out bytes.Buffer
	cmd := program(t, "-json", "-user", "u", "-pass", "p", "-linger", "100ms", "turn:"+sock.LocalAddr().String())
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := sock.ReadFrom(make([]byte, 1500)); err != nil { // its Allocate
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	wantExit(t, cmd.ProcessState.ExitCode(), 1)
	got := records(t, out.Bytes())
	wantEvents(t, got, "failed", "closed")
	if got[0].Reason != "interrupted" {
		t.Errorf("failed %+v, want interrupted", got[0])
	}
}

func TestUnreachedState(t *testing.T) {
	t.Parallel()
	s := ht.NeedPion(t, ht.PionOptions{})
	if f := failure(t, s.Addr(), "-close-at", "allocated", "-pass", "wrong"); f.Code != 400 {
		t.Errorf("failed %+v, want the server's 400", f)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	const url = "turn:127.0.0.1:1"
	for _, args := range [][]string{
		{}, {url, url}, {"-bogus", url}, {"http://example.org"}, {"-n", "-1", url}, {"-n", "many", url},
		{"-size", "1", url}, {"-size", "70000", url}, {"-rate", "0", url}, {"-cycles", "0", url},
		{"-linger", "-1s", url}, {"-hold", "soon", url}, {"-close-at", "sometime", url},
		{"-rebind-at", "-1", url}, {"-n", "5", "-rebind-at", "5", url},
		{"-engine", "steam", url}, {"-family", "5", url}, {"-peer", "nowhere", url},
	} {
		cmd := program(t, args...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != 2 || stdout.Len() != 0 || !strings.Contains(stderr.String(), "usage: turnclient") {
			t.Errorf("%q: exit %d, want 2 and the usage on stderr:\n%s%s", args, code, stdout.String(), stderr.String())
		}
	}
}

func TestBadURLsAndFiles(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"turns:127.0.0.1"}, {"turn:127.0.0.1:99999"}, {"turn:"},
		{"turn://127.0.0.1"}, {"-local", "here", "turn:127.0.0.1"}, {"-user", "u", "turn:127.0.0.1"},
		{"-trace", t.TempDir() + "/no/such/folder", "turn:127.0.0.1"},
	} {
		cmd := program(t, append([]string{"-json"}, args...)...)
		out, _ := cmd.Output()
		got := records(t, out)
		if code := cmd.ProcessState.ExitCode(); code != 1 || len(got) != 1 || got[0].Event != "failed" || got[0].Reason == "" {
			t.Errorf("%q: exit %d, records %+v, want one failure", args, code, got)
		}
	}
}
