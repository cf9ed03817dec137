package main

import (
	"bytes"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pion/dtls/v3"

	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

const certName = "turn.test"

func authority(t *testing.T) (a *ht.Authority, caFile string) {
	t.Helper()
	a, err := ht.NewAuthority(certName)
	if err != nil {
		t.Fatal(err)
	}
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, a.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	return a, caFile
}

// turnclientSecured runs the program on a turns: URL.
func turnclientSecured(t *testing.T, url string, args ...string) ([]record, int, string) {
	t.Helper()
	cmd := program(t, append(append([]string{"-json", "-user", ht.Username, "-pass", ht.Password, "-n", "5"}, args...), url)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, _ := cmd.Output()
	return records(t, out), cmd.ProcessState.ExitCode(), stderr.String()
}

func wantSecured(t *testing.T, s ht.Server, url, caFile string) {
	t.Helper()
	for _, more := range [][]string{nil, {"-no-alpn"}, {"-engine", "native"}} {
		got, code, _ := turnclientSecured(t, url, append([]string{"-ca", caFile, "-server-name", certName}, more...)...)
		wantExit(t, code, 0)
		wantEvents(t, got, "allocated", "echoed", "closed")
		if got[1].Received != 5 || got[2].Outcome != "released" {
			t.Errorf("%v: %+v", more, got)
		}
	}
	got, code, _ := turnclientSecured(t, url, "-server-name", certName) // of the system's authorities nobody knows it
	wantExit(t, code, 1)
	if wantEvents(t, got, "failed"); !strings.Contains(got[0].Reason, "unknown authority") {
		t.Errorf("failed %+v, want a certificate of an unknown authority", got[0])
	}
	wantHeld(t, s, 0)
}

func TestTLSOfCoturn(t *testing.T) {
	t.Parallel()
	a, caFile := authority(t)
	flags, err := a.WriteFiles(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := ht.NeedCoturn(t, flags...)
	wantSecured(t, s, "turns:"+s.Secured().String(), caFile)
}

func TestDTLSOfPion(t *testing.T) {
	t.Parallel()
	a, caFile := authority(t)
	l, err := dtls.Listen("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, &dtls.Config{Certificates: []tls.Certificate{a.Leaf}})
	if err != nil {
		t.Fatal(err)
	}
	s := ht.NeedPion(t, ht.PionOptions{Listeners: []net.Listener{l}})
	wantSecured(t, s, "turns:"+l.Addr().String()+"?transport=udp", caFile)
}

func TestCAFileWithoutCertificate(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, empty + ".missing"} {
		_, code, stderr := turnclientSecured(t, "turns:turn.example", "-ca", file)
		if wantExit(t, code, 2); !strings.Contains(stderr, "-ca") {
			t.Errorf("on stderr: %s", stderr)
		}
	}
}
