package host_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

func TestDialErrors(t *testing.T) {
	nobody, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	closedPort := nobody.LocalAddr().(*net.UDPAddr).AddrPort()
	nobody.Close()
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		good := quick(server.Addr())
		for name, test := range map[string]struct {
			change func(*host.Config)
			want   string // the error names it
		}{
			"no URL":         {func(c *host.Config) { c.URL = "" }, "not a TURN URI"},
			"TLS":            {func(c *host.Config) { c.URL = "turns:127.0.0.1" }, "ServerName"},
			"unknown name":   {func(c *host.Config) { c.URL = "turn:nowhere.invalid" }, "nowhere.invalid"},
			"wrong family":   {func(c *host.Config) { c.LocalAddr = "::1" }, "family"},
			"local address":  {func(c *host.Config) { c.LocalAddr = "192.0.2.1" }, "assign"},
			"wrong password": {func(c *host.Config) { c.Password = "secret" }, "check username and password"},
			"wrong username": {func(c *host.Config) { c.Username = "eve" }, "check username and password"},
			"nobody there":   {func(c *host.Config) { c.URL = "turn:" + closedPort.String() }, "ICMP"},
			"RTO":            {func(c *host.Config) { c.RTO = -1 }, "configuration"},
		} {
			cfg := good
			test.change(&cfg)
			start := time.Now()
			c, err := rt.Dial(soon(t), cfg)
			if err == nil {
				t.Errorf("%s: no error, %v", name, c.Relayed())
				continue
			}
			op, is := errors.AsType[*net.OpError](err)
			if !is || op.Op != "dial" || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: the error is %v, want a *net.OpError that names %q", name, err, test.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: the password is in the error: %v", name, err)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%s: it took %v", name, took)
			}
		}
		wantHeld(t, server, 0)
	})
}

// A server that says nothing: the error names the method and comes after the
// transaction's time, here 50 ms x (1+2+4).
func TestSilentServer(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		proxy := silentProxy(t)
		cfg := config(proxy.Addr())
		cfg.RTO, cfg.Rc, cfg.Rm = 50*time.Millisecond, 2, 4
		start := time.Now()
		_, err := rt.Dial(soon(t), cfg)
		why := wantRequestError(t, err, "Allocate", 0)
		if took := time.Since(start); took < 250*time.Millisecond || took > 5*time.Second {
			t.Errorf("it took %v, want 50 ms x (1 + 4) and a little", took)
		}
		if why.Server != proxy.Addr() || why.Signed {
			t.Errorf("the error is %+v", why)
		}
	})
}

func silentProxy(t *testing.T) *hosttest.Proxy {
	t.Helper()
	proxy := hosttest.NeedProxy(t, hosttest.NeedPion(t, hosttest.PionOptions{}))
	proxy.SetFault(hosttest.Drop)
	return proxy
}

// phaseOfDial is reached when a datagram passes that matches. So many of them do
// not arrive before the Dial has returned.
type phaseOfDial struct {
	match  hosttest.Match
	copies int
}

// The context ends a Dial at once in each of its phases, and nothing stays on
// the server.
func TestDialIsCancelled(t *testing.T) {
	for name, phase := range map[string]phaseOfDial{
		"unsigned Allocate":   {hosttest.IsAllocate, 1},
		"challenge":           {hosttest.IsChallenge, 1},
		"signed Allocate":     {hosttest.IsSignedAllocate, 1},
		"success":             {hosttest.IsAllocateSuccess, 1},
		"success, and a copy": {hosttest.IsAllocateSuccess, 2},
	} {
		for _, fate := range []string{"late", "lost"} {
			t.Run(name+" "+fate, func(t *testing.T) {
				engines(t, func(t *testing.T, rt *host.Runtime) { wantCancelled(t, rt, phase, fate == "lost") })
			})
		}
	}
}

func wantCancelled(t *testing.T, rt *host.Runtime, p phaseOfDial, lost bool) {
	t.Helper()
	returned := make(chan struct{})
	act := hosttest.Hold(returned)
	if lost {
		act = hosttest.Drop
	}
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	proxy := hosttest.NeedProxy(t, server)
	proxy.SetFault(hosttest.First(p.copies, p.match, act))
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()
	go func() {
		proxy.Await(ctx, func(r hosttest.Record) bool { return p.match(r.Passage) })
		cancel()
	}()
	cfg := quick(proxy.Addr())
	cfg.Linger = 5 * time.Second
	if _, err := rt.Dial(ctx, cfg); !errors.Is(err, context.Canceled) {
		t.Fatalf("Dial: %v, want context.Canceled", err)
	}
	close(returned)
	if err := rt.Close(); err != nil { // waits for what goes on in the background
		t.Fatalf("Runtime.Close: %v", err)
	}
	wantHeld(t, server, 0)
}

func TestDialWithADeadContext(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := rt.Dial(ctx, config(netip.MustParseAddrPort("127.0.0.1:9"))); !errors.Is(err, context.Canceled) {
			t.Errorf("Dial: %v, want context.Canceled", err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		cfg := config(silentProxy(t).Addr())
		cfg.Linger = -1
		_, err := rt.Dial(ctx, cfg)
		var ne net.Error
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() {
			t.Errorf("Dial: %v, want a time-out", err)
		}
		rt.Close() // an error when the Allocate went out in that millisecond
	})
}

// What a cancelled Dial may have left is nobody's but the Runtime's to tell.
func TestRuntimeTellsWhatACancelledDialLeft(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		proxy := silentProxy(t)
		ctx, cancel := context.WithCancel(soon(t))
		defer cancel()
		go func() {
			proxy.Await(ctx, func(r hosttest.Record) bool { return hosttest.IsAllocate(r.Passage) })
			cancel()
		}()
		cfg := config(proxy.Addr())
		cfg.Linger = 100 * time.Millisecond
		if _, err := rt.Dial(ctx, cfg); !errors.Is(err, context.Canceled) {
			t.Fatalf("Dial: %v, want context.Canceled", err)
		}
		// The server may have allocated without asking for credentials.
		if left, is := errors.AsType[*host.CloseError](rt.Close()); !is || left.Closed.Until.IsZero() {
			t.Errorf("Runtime.Close: %v, want a *CloseError with its Until", left)
		}
	})
}

func TestRuntimeClosed(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		c := dial(t, rt, config(server.Addr()))
		if err := rt.Close(); err != nil {
			t.Fatalf("Runtime.Close: %v", err)
		}
		wantHeld(t, server, 0)
		if _, _, err := c.ReadFrom(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("ReadFrom: %v, want net.ErrClosed", err)
		}
		if _, err := rt.Dial(soon(t), config(server.Addr())); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Dial: %v, want net.ErrClosed", err)
		}
	})
}
