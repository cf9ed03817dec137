package host_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// eachServer runs the test over both servers and both engines.
func eachServer(t *testing.T, test func(t *testing.T, rt *host.Runtime, server hosttest.Server), flags ...string) {
	for name, start := range map[string]func(t *testing.T) hosttest.Server{
		"pion":   func(t *testing.T) hosttest.Server { return hosttest.NeedPion(t, hosttest.PionOptions{}) },
		"coturn": func(t *testing.T) hosttest.Server { return hosttest.NeedCoturn(t, flags...) },
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, rt *host.Runtime) { test(t, rt, start(t)) })
		})
	}
}

// L10: servers bear a keep-alive, and say nothing to it.
func TestKeepalive(t *testing.T) {
	eachServer(t, func(t *testing.T, rt *host.Runtime, server hosttest.Server) {
		proxy := hosttest.NeedProxy(t, server)
		cfg := config(proxy.Addr())
		cfg.Keepalive = time.Second
		c := dial(t, rt, cfg)
		_, err := proxy.Await(soon(t), func(r hosttest.Record) bool {
			return r.ToServer && r.Message != nil && r.Message.Type == hosttest.BindingIndication
		})
		if err != nil {
			t.Fatalf("no keep-alive: %v", err)
		}
		if err := c.Refresh(soon(t)); err != nil {
			t.Fatalf("Refresh after it: %v", err)
		}
		wantClosed(t, c, 2*time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}

// wantEvent takes events until one of that kind comes.
func wantEvent(t *testing.T, c *host.Conn, want client.EventKind) host.Event {
	t.Helper()
	late := soon(t)
	for {
		select {
		case e, open := <-c.Events():
			if !open {
				t.Fatalf("the Conn ended without %v", want)
			}
			if e.Kind == want {
				return e
			}
		case <-late.Done():
			t.Fatalf("no %v", want)
		}
	}
}

// L4: the port above an even one is kept for who brings the token.
func TestReservedPort(t *testing.T) {
	eachServer(t, func(t *testing.T, rt *host.Runtime, server hosttest.Server) {
		cfg := config(server.Addr())
		cfg.EvenPort = client.EvenPortReserve
		first := dial(t, rt, cfg)
		if first.Relayed().Port()%2 != 0 {
			t.Errorf("the relayed address is %v, want an even port", first.Relayed())
		}
		e := wantEvent(t, first, client.PortReserved)
		cfg.EvenPort, cfg.ReservationToken = client.EvenPortNone, e.ReservationToken
		second := dial(t, rt, cfg)
		if second.Relayed().Port() != first.Relayed().Port()+1 {
			t.Errorf("the relayed addresses are %v and %v, want neighbours", first.Relayed(), second.Relayed())
		}
		wantClosed(t, second, 2*time.Second, client.Released)
		wantClosed(t, first, 2*time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}

// L4: a token that the server does not know is let go. coturn does not answer
// 508 but 404, and an Allocate that follows on that port gets a success without
// an address: there it fails, and nothing is left.
func TestUnknownToken(t *testing.T) {
	eachServer(t, func(t *testing.T, rt *host.Runtime, server hosttest.Server) {
		cfg := quick(server.Addr())
		cfg.ReservationToken = client.ReservationToken{'n', 'o', 'b', 'o', 'd', 'y'}
		if server.Name() == "coturn" {
			_, err := rt.Dial(soon(t), cfg)
			wantRequestError(t, err, "Allocate", 404)
			wantHeld(t, server, 0)
			return
		}
		c := dial(t, rt, cfg)
		if e := wantEvent(t, c, client.OptionRefused); e.Code != 508 {
			t.Errorf("the event is %+v, want 508", e)
		}
		wantClosed(t, c, 2*time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}

// L5: coturn knows DONT-FRAGMENT, pion refuses it and is used without.
func TestDontFragment(t *testing.T) {
	eachServer(t, func(t *testing.T, rt *host.Runtime, server hosttest.Server) {
		echo := hosttest.NeedEcho(t)
		cfg := quick(server.Addr())
		cfg.DontFragment = true
		c := dial(t, rt, cfg)
		if server.Name() == "pion" {
			if e := wantEvent(t, c, client.OptionRefused); e.Code != 420 {
				t.Errorf("the event is %+v, want 420", e)
			}
		}
		wantEcho(t, c, echo.Addr(), "in one piece")
		wantClosed(t, c, 2*time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}

// L1: pion does not know ADDITIONAL-ADDRESS-FAMILY, coturn 4.6 gives one
// address even where it has both: an event tells of the other.
func TestBothFamiliesOneGiven(t *testing.T) {
	eachServer(t, func(t *testing.T, rt *host.Runtime, server hosttest.Server) {
		echo := hosttest.NeedEcho(t)
		cfg := config(server.Addr())
		cfg.Family = client.FamilyBoth
		c := dial(t, rt, cfg)
		if e := wantEvent(t, c, client.AddressRefused); e.Family != client.FamilyIPv6 {
			t.Errorf("the event is %+v, want IPv6 refused", e)
		}
		if !c.Relayed().Addr().Is4() || c.Additional().IsValid() {
			t.Errorf("Relayed is %v, Additional %v", c.Relayed(), c.Additional())
		}
		wantEcho(t, c, echo.Addr(), "by the one that is there")
		wantClosed(t, c, 2*time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}

// L6: coturn says 300 to the first, unsigned Allocate. It is followed when asked
// for; else it is an error that names the other server.
func TestRedirect(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		there := hosttest.NeedPion(t, hosttest.PionOptions{})
		here := hosttest.NeedCoturn(t, "--alternate-server="+there.Addr().String())
		cfg := config(here.Addr())
		_, err := rt.Dial(soon(t), cfg)
		if why := wantRequestError(t, err, "Allocate", 300); why.Alternate != there.Addr() || why.Signed {
			t.Errorf("the error is %+v, want the alternate %v", why, there.Addr())
		}
		cfg.Redirect = host.RedirectAny
		c := dial(t, rt, cfg)
		if c.Server() != there.Addr() {
			t.Errorf("the server is %v, want %v", c.Server(), there.Addr())
		}
		if e := wantEvent(t, c, client.Redirected); e.Peer != there.Addr() || e.Signed {
			t.Errorf("the event is %+v", e)
		}
		wantEcho(t, c, hosttest.NeedEcho(t).Addr(), "from there")
		wantClosed(t, c, 2*time.Second, client.Released)
		wantHeld(t, there, 0)
	})
}

// C15: a Dial that is given up while it follows a 300 leaves nothing, here or
// there.
func TestGivenUpDuringRedirect(t *testing.T) {
	for _, e := range []host.Engine{host.Native, host.Wasm} {
		t.Run(e.String(), func(t *testing.T) { testGivenUpDuringRedirect(t, e) })
	}
}

func testGivenUpDuringRedirect(t *testing.T, e host.Engine) {
	there := silentProxy(t)
	here := hosttest.NeedCoturn(t, "--alternate-server="+there.Addr().String())
	rt := newRuntime(t, e) // it is closed before the servers, and says what is left
	cfg := config(here.Addr())
	cfg.Redirect = host.RedirectAny
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()
	dialled := make(chan error, 1)
	go func() {
		_, err := rt.Dial(ctx, cfg)
		dialled <- err
	}()
	if _, err := there.Await(soon(t), func(r hosttest.Record) bool { return hosttest.IsAllocate(r.Passage) }); err != nil {
		t.Fatalf("no Allocate there: %v", err)
	}
	there.SetFault(hosttest.Pass) // for the copy that the close waits for
	cancel()
	if err := <-dialled; !errors.Is(err, context.Canceled) {
		t.Errorf("Dial: %v, want context.Canceled", err)
	}
	wantHeld(t, here, 0)
}
