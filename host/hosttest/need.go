package hosttest

import (
	"context"
	"os"
	"os/exec"
)

// TB is the part of testing.TB that this package needs; programs do not link
// the testing package for it.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// NeedCoturn starts coturn for a test. Where it is not installed the test is
// skipped; with CI=true, where nothing may be skipped, it fails.
func NeedCoturn(t TB, flags ...string) *Coturn {
	t.Helper()
	if _, err := exec.LookPath(CoturnBinary); err != nil && os.Getenv("CI") != "true" {
		t.Skipf("%s is not installed: make deps installs it", CoturnBinary)
	}
	c, err := StartCoturn(t.Context(), flags...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	stopLater(t, c)
	return c
}

// NeedPion starts a pion server for a test.
func NeedPion(t TB, o PionOptions) *Pion {
	t.Helper()
	p, err := StartPion(o)
	if err != nil {
		t.Fatalf("pion: %v", err)
	}
	stopLater(t, p)
	return p
}

// NeedProxy starts a proxy to the server for a test.
func NeedProxy(t TB, server Server) *Proxy {
	t.Helper()
	p, err := StartProxy(server.Addr())
	if err != nil {
		t.Fatalf("proxy: %v", err)
	}
	stopLater(t, p)
	return p
}

// NeedEcho starts an echo peer on 127.0.0.1 for a test.
func NeedEcho(t TB) *Echo {
	t.Helper()
	e, err := StartEcho(loopback)
	if err != nil {
		t.Fatalf("echo: %v", err)
	}
	stopLater(t, e)
	return e
}

func stopLater(t TB, c interface{ Close() error }) {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Fatalf("stopping %T: %v", c, err)
		}
	})
}
