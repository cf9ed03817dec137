package host

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// raced is a Config whose name leads to the addresses, in this order.
func raced(t *testing.T, places ...netip.AddrPort) Config {
	t.Helper()
	n := newNames(t)
	for i, at := range places {
		n.serve("_turn._udp.race.test.", uint16(i), "h"+string(rune('a'+i))+".test.", at)
	}
	return Config{URL: "turn:race.test", Resolver: n.resolver(), Username: hosttest.Username, Password: hosttest.Password}
}

func raceRuntime(t *testing.T) *Runtime {
	t.Helper()
	rt, err := New(t.Context(), WithEngine(Native))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rt.Close() })
	return rt
}

// silent is an address where nobody answers.
func silent(t *testing.T) netip.AddrPort {
	t.Helper()
	sock, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sock.Close() })
	return sock.LocalAddr().(*net.UDPAddr).AddrPort()
}

// deserted is an address where no socket is.
func deserted(t *testing.T) netip.AddrPort {
	t.Helper()
	sock, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer sock.Close()
	return sock.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestL13AnotherAddressAnswers(t *testing.T) {
	p := hosttest.NeedPion(t, hosttest.PionOptions{})
	rt := raceRuntime(t)
	for name, first := range map[string]netip.AddrPort{"silence": silent(t), "refused": deserted(t)} {
		c, err := rt.Dial(t.Context(), raced(t, first, p.Addr()))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.Server() != p.Addr() {
			t.Errorf("%s: the server is %v", name, c.Server())
		}
		if closed, err := c.CloseWith(t.Context(), 5*time.Second); err != nil || closed.Outcome != client.Released {
			t.Errorf("%s: %+v, %v", name, closed, err)
		}
	}
}

// The loser's Allocate succeeds after the winner's: it is released, and the
// Runtime's Close waits for that.
func TestL13LosersRelease(t *testing.T) {
	slow, fast := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedPion(t, hosttest.PionOptions{})
	proxy, err := hosttest.StartProxy(slow.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	won := make(chan struct{})
	proxy.SetFault(func(p hosttest.Passage) hosttest.Action {
		if hosttest.IsAllocateSuccess(p) {
			return hosttest.Action{Hold: won}
		}
		return hosttest.Action{}
	})
	rt := raceRuntime(t)
	c, err := rt.Dial(t.Context(), raced(t, proxy.Addr(), fast.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	if c.Server() != fast.Addr() {
		t.Errorf("the server is %v", c.Server())
	}
	if held, err := slow.Held(); err != nil || held != 1 {
		t.Errorf("the slow server holds %d before the loser hears of it, %v", held, err)
	}
	close(won)
	if err := rt.Close(); err != nil {
		t.Error(err)
	}
	for name, p := range map[string]*hosttest.Pion{"slow": slow, "fast": fast} {
		if held, err := p.Held(); err != nil || held != 0 {
			t.Errorf("the %s server holds %d, %v", name, held, err)
		}
	}
}

func TestL13NoneAnswers(t *testing.T) {
	rt := raceRuntime(t)
	a, b := deserted(t), deserted(t)
	_, err := rt.Dial(t.Context(), raced(t, a, b))
	why, is := errors.AsType[*RequestError](err)
	if !is || why.Server != a || !strings.Contains(err.Error(), b.String()) {
		t.Errorf("want what became of both addresses, got %v", err)
	}
}

func TestL13GivenUp(t *testing.T) {
	p := hosttest.NeedPion(t, hosttest.PionOptions{})
	rt := raceRuntime(t)
	ctx, cancel := context.WithCancel(t.Context())
	cfg := raced(t, silent(t), silent(t), p.Addr())
	go func() {
		_, _ = hosttest.AwaitHeld(ctx, p, 1) // or the Dial is over
		cancel()
	}()
	if c, err := rt.Dial(ctx, cfg); err == nil { // it has won before
		c.beginClose(time.Second)
	} else if !errors.Is(err, context.Canceled) {
		t.Errorf("Dial: %v", err)
	}
	cancel()
	_ = rt.Close() // nobody has confirmed that nothing is at the silent ones
	if held, err := p.Held(); err != nil || held != 0 {
		t.Errorf("the server holds %d, %v", held, err)
	}
}

// The caller's own port cannot lead to two servers at a time.
func TestL13OwnPort(t *testing.T) {
	p := hosttest.NeedPion(t, hosttest.PionOptions{})
	rt := raceRuntime(t)
	cfg := raced(t, deserted(t), p.Addr())
	own := deserted(t)
	cfg.LocalAddr = own.String()
	c, err := rt.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if c.Local() != own || c.Server() != p.Addr() {
		t.Errorf("from %v to %v", c.Local(), c.Server())
	}
	if closed, err := c.CloseWith(t.Context(), 5*time.Second); err != nil || closed.Outcome != client.Released {
		t.Errorf("%+v, %v", closed, err)
	}
}
