package host_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(child(role))
	}
	goleak.VerifyTestMain(m)
}

// engines runs the test over both engines.
func engines(t *testing.T, test func(t *testing.T, rt *host.Runtime), opts ...host.Option) {
	for _, e := range []host.Engine{host.Native, host.Wasm} {
		t.Run(e.String(), func(t *testing.T) { test(t, newRuntime(t, e, opts...)) })
	}
}

func newRuntime(t *testing.T, e host.Engine, opts ...host.Option) *host.Runtime {
	t.Helper()
	rt, err := host.New(t.Context(), append([]host.Option{host.WithEngine(e)}, opts...)...)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Errorf("Runtime.Close: %v", err)
		}
	})
	return rt
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func config(server netip.AddrPort) host.Config {
	return host.Config{URL: "turn:" + server.String(), Username: hosttest.Username, Password: hosttest.Password}
}

// quick is config with short waits, for servers that do not answer.
func quick(server netip.AddrPort) host.Config {
	cfg := config(server)
	cfg.RTO = 100 * time.Millisecond
	return cfg
}

func dial(t *testing.T, rt *host.Runtime, cfg host.Config) *host.Conn {
	t.Helper()
	c, err := rt.Dial(soon(t), cfg)
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	return c
}

func open(t *testing.T, rt *host.Runtime, cfg host.Config) *host.Conn {
	t.Helper()
	c, err := rt.Open(soon(t), cfg)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return c
}

// wantClosed closes c and fails the test unless that is its outcome.
func wantClosed(t *testing.T, c *host.Conn, linger time.Duration, want client.Outcome) host.Closed {
	t.Helper()
	closed, err := c.CloseWith(soon(t), linger)
	if err != nil || closed.Outcome != want {
		t.Fatalf("CloseWith: %+v, %v, want the outcome %v", closed, err, want)
	}
	return closed
}

func wantHeld(t *testing.T, s hosttest.Server, want int) {
	t.Helper()
	if n, err := hosttest.AwaitHeld(soon(t), s, want); err != nil || n != want {
		t.Fatalf("the server holds %d allocations (%v), want %d", n, err, want)
	}
}

// wantRequestError fails the test unless err is a *RequestError of that method
// and code.
func wantRequestError(t *testing.T, err error, method string, code int) *host.RequestError {
	t.Helper()
	why, is := errors.AsType[*host.RequestError](err)
	if !is || why.Method != method || why.Code != code {
		t.Fatalf("the error is %v, want %s: %d", err, method, code)
	}
	return why
}

// wantEcho sends one payload to the peer until its echo comes back: datagrams
// may be lost, and a permission may be on its way.
func wantEcho(t *testing.T, c net.PacketConn, peer netip.AddrPort, payload string) {
	t.Helper()
	buf := make([]byte, 2048)
	for range 20 {
		if _, err := c.WriteTo([]byte(payload), net.UDPAddrFromAddrPort(peer)); err != nil {
			t.Fatalf("WriteTo: %v", err)
		}
		if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatalf("SetReadDeadline: %v", err)
		}
		n, from, err := c.ReadFrom(buf)
		if err == nil {
			if string(buf[:n]) != payload || from.String() != peer.String() {
				t.Fatalf("got %q from %v, want %q from %v", buf[:n], from, payload, peer)
			}
			return
		}
	}
	t.Fatalf("%d payloads to %v and no echo", 20, peer)
}
