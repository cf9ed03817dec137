package host_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

func TestRelayByPermissionAndByChannel(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) hosttest.Server{
		"pion":   func(t *testing.T) hosttest.Server { return hosttest.NeedPion(t, hosttest.PionOptions{}) },
		"coturn": func(t *testing.T) hosttest.Server { return hosttest.NeedCoturn(t) },
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, rt *host.Runtime) { testRelay(t, rt, start(t)) })
		})
	}
}

func testRelay(t *testing.T, rt *host.Runtime, server hosttest.Server) {
	echo := hosttest.NeedEcho(t)
	c := dial(t, rt, config(server.Addr()))
	wantHeld(t, server, 1)
	if c.Mapped() != c.Local() {
		t.Errorf("Mapped is %v, Local %v: want the same on loopback", c.Mapped(), c.Local())
	}
	if c.LocalAddr().String() != c.Relayed().String() || c.Relayed().Port() == c.Local().Port() {
		t.Errorf("LocalAddr is %v, Relayed %v, Local %v", c.LocalAddr(), c.Relayed(), c.Local())
	}
	if c.Lifetime() != 10*time.Minute || c.Server() != server.Addr() || c.Phase() != client.PhaseAllocated {
		t.Errorf("Lifetime %v, Server %v, Phase %v", c.Lifetime(), c.Server(), c.Phase())
	}
	wantEcho(t, c, echo.Addr(), "by permission")
	if err := c.BindChannel(soon(t), echo.Addr()); err != nil {
		t.Fatalf("BindChannel: %v", err)
	}
	wantEcho(t, c, echo.Addr(), "by channel")
	if err := c.Refresh(soon(t)); err != nil {
		t.Fatalf("Refresh: %v", err)
	}
	if s := c.Stats(); s.PayloadsSent < 2 || s.PayloadsReceived < 2 || s.PayloadsUnread != 0 {
		t.Errorf("Stats: %+v", s)
	}
	closed := wantClosed(t, c, time.Second, client.Released)
	if !closed.Until.IsZero() || closed.ReuseAfter != 2*time.Second {
		t.Errorf("the verdict is %+v", closed)
	}
	wantHeld(t, server, 0)
}

func TestOutsiderReachesTheRelayedAddress(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		c := dial(t, rt, config(server.Addr()))
		defer c.Close()
		peer, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		at := peer.LocalAddr().(*net.UDPAddr).AddrPort()
		for range 2 { // the second one is there already and must not wait
			if err := c.CreatePermission(soon(t), at.Addr()); err != nil {
				t.Fatalf("CreatePermission: %v", err)
			}
		}
		if _, err := peer.WriteToUDPAddrPort([]byte("knock"), c.Relayed()); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 3) // what does not fit is lost, as on any PacketConn
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, from, err := c.ReadFrom(buf)
		if err != nil || string(buf[:n]) != "kno" || from.String() != at.String() {
			t.Fatalf("got %q from %v, %v", buf[:n], from, err)
		}
	})
}

func TestRefusedPeer(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		denied := netip.MustParseAddr("127.0.0.9")
		server := hosttest.NeedPion(t, hosttest.PionOptions{Deny: []netip.Addr{denied}})
		c := dial(t, rt, config(server.Addr()))
		defer c.Close()
		allowed := netip.MustParseAddr("127.0.0.1")
		why := wantRequestError(t, c.CreatePermission(soon(t), allowed, denied), "CreatePermission", 403)
		if why.Peer.Addr() != denied {
			t.Errorf("the refused peer is %v, want %v", why.Peer, denied)
		}
		if err := c.CreatePermission(soon(t), allowed); err != nil {
			t.Errorf("the other peer: %v", err)
		}
	})
}

func TestDeadlines(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server, echo := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t)
		c := dial(t, rt, config(server.Addr()))
		defer c.Close()
		wantTimeout := func(what string, err error) {
			t.Helper()
			var ne net.Error
			if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() {
				t.Errorf("%s: %v, want a time-out", what, err)
			}
			if op, is := errors.AsType[*net.OpError](err); !is || op.Net != "turn" {
				t.Errorf("%s: %v, want a *net.OpError", what, err)
			}
		}
		buf := make([]byte, 100)
		c.SetDeadline(time.Now().Add(-time.Second))
		_, _, err := c.ReadFrom(buf)
		wantTimeout("ReadFrom after a deadline in the past", err)
		_, err = c.WriteTo(buf, net.UDPAddrFromAddrPort(echo.Addr()))
		wantTimeout("WriteTo after a deadline in the past", err)
		c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		_, _, err = c.ReadFrom(buf)
		wantTimeout("ReadFrom over its deadline", err)

		c.SetDeadline(time.Time{})
		waited := make(chan error)
		go func() {
			_, _, err := c.ReadFrom(buf)
			waited <- err
		}()
		c.SetReadDeadline(time.Now())
		wantTimeout("ReadFrom whose deadline was moved", <-waited)
		c.SetDeadline(time.Time{})
		wantEcho(t, c, echo.Addr(), "after all that")
	})
}

func TestClosedConn(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server, echo := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t)
		c := dial(t, rt, config(server.Addr()))
		var all sync.WaitGroup
		readErr := make(chan error, 1)
		all.Go(func() {
			_, _, err := c.ReadFrom(make([]byte, 10))
			readErr <- err
		})
		for range 4 { // from any goroutine, more than once
			all.Go(func() {
				if err := c.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
		}
		all.Wait()
		wantHeld(t, server, 0)
		peer := net.UDPAddrFromAddrPort(echo.Addr())
		_, readAfter, errAfter := c.ReadFrom(make([]byte, 10))
		_, writeErr := c.WriteTo([]byte("x"), peer)
		for what, err := range map[string]error{
			"the waiting ReadFrom": <-readErr, "ReadFrom": errAfter, "WriteTo": writeErr,
			"SetDeadline": c.SetDeadline(time.Now()), "Refresh": c.Refresh(soon(t)),
			"BindChannel": c.BindChannel(soon(t), echo.Addr()), "Allocate": c.Allocate(soon(t)),
			"SetCredentials":   c.SetCredentials("u", "p"),
			"CreatePermission": c.CreatePermission(soon(t), echo.Addr().Addr()),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s after Close: %v, want net.ErrClosed", what, err)
			}
		}
		if readAfter != nil || c.Phase() != client.PhaseClosed || c.Relayed().IsValid() {
			t.Errorf("after Close: Phase %v, Relayed %v", c.Phase(), c.Relayed())
		}
		if err := c.Close(); err != nil {
			t.Errorf("Close once more: %v", err)
		}
	})
}

func TestTwoConnsInOneRuntime(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server, echo := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t)
		a, b := dial(t, rt, config(server.Addr())), dial(t, rt, config(server.Addr()))
		wantHeld(t, server, 2)
		wantClosed(t, a, time.Second, client.Released)
		wantHeld(t, server, 1)
		wantEcho(t, b, echo.Addr(), "the other one lives")
		if err := b.Refresh(soon(t)); err != nil {
			t.Errorf("Refresh: %v", err)
		}
		wantClosed(t, b, time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}

func TestEvents(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		cfg := config(server.Addr())
		cfg.EventQueue = 2
		c := dial(t, rt, cfg)
		for range 3 {
			if err := c.Refresh(soon(t)); err != nil {
				t.Fatalf("Refresh: %v", err)
			}
		}
		wantClosed(t, c, time.Second, client.Released)
		var kinds []client.EventKind
		for e := range c.Events() {
			kinds = append(kinds, e.Kind)
		}
		if len(kinds) != 2 || kinds[0] != client.Allocated || kinds[1] != client.Refreshed {
			t.Errorf("a queue of 2 held %v", kinds)
		}
		if n := c.Stats().EventsUnread; n != 3 {
			t.Errorf("%d events were dropped, want 2 Refreshed and 1 Closed", n)
		}
	})
}

func TestPayloadsNobodyReadsAreDropped(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server, echo := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t)
		cfg := config(server.Addr())
		cfg.ReceiveQueue = 1
		c := dial(t, rt, cfg)
		defer c.Close()
		wantEcho(t, c, echo.Addr(), "warm")
		deadline := time.Now().Add(10 * time.Second)
		for c.Stats().PayloadsUnread == 0 && time.Now().Before(deadline) {
			c.WriteTo([]byte("unread"), net.UDPAddrFromAddrPort(echo.Addr()))
		}
		if c.Stats().PayloadsUnread == 0 {
			t.Error("nothing was dropped and counted")
		}
	})
}

// After RemovePermission and UnbindChannel the server is asked anew.
func TestPermissionsAndChannelsAreTakenBack(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server, echo := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t)
		cfg := config(server.Addr())
		cfg.NoAutoPermission = true
		c := dial(t, rt, cfg)
		defer c.Close()
		peer := echo.Addr()
		if _, err := c.WriteToAddrPort([]byte("x"), peer); !errors.Is(err, client.ErrNoPermission) {
			t.Errorf("WriteTo without a permission: %v, want client.ErrNoPermission", err)
		}
		for range 2 {
			if err := errors.Join(c.CreatePermission(soon(t), peer.Addr()), c.BindChannel(soon(t), peer)); err != nil {
				t.Fatal(err)
			}
			wantEcho(t, c, peer, "allowed")
			if err := errors.Join(c.RemovePermission(peer.Addr()), c.UnbindChannel(peer)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// What was asked for before the allocation fails with it.
func TestCommandsWaitForTheAllocation(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server, echo := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t)
		for _, password := range []string{hosttest.Password, "wrong"} {
			cfg := quick(server.Addr())
			cfg.Password = password
			c := open(t, rt, cfg)
			bound := make(chan error, 1)
			go func() { bound <- c.BindChannel(soon(t), echo.Addr()) }()
			permitted := make(chan error, 1)
			go func() { permitted <- c.CreatePermission(soon(t), echo.Addr().Addr()) }()
			err := c.Allocate(soon(t))
			if good := password == hosttest.Password; (err == nil) != good {
				t.Errorf("Allocate with %q: %v", password, err)
			} else if good {
				if err := errors.Join(<-bound, <-permitted); err != nil {
					t.Errorf("after the allocation: %v", err)
				}
			} else if <-bound == nil || <-permitted == nil {
				t.Error("a command is well without an allocation")
			}
			c.CloseWith(soon(t), 0)
		}
	})
}
