package hosttest

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"
)

func wantEcho(t *testing.T, c net.PacketConn, echo *Echo) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.WriteTo([]byte("hello"), net.UDPAddrFromAddrPort(echo.Addr())); err != nil {
		t.Fatalf("write to the echo peer: %v", err)
	}
	buf := make([]byte, 100)
	n, _, err := c.ReadFrom(buf)
	if err != nil || string(buf[:n]) != "hello" {
		t.Fatalf("read %q from the echo peer: %v", buf[:n], err)
	}
	if echo.Echoed() != 1 {
		t.Fatalf("the echo peer sent back %d datagrams, want 1", echo.Echoed())
	}
}

func TestProxyKeepsPorts(t *testing.T) {
	servers(t, func(t *testing.T, s Server) {
		p := NeedProxy(t, s)
		first := dialRaw(t, netip.AddrPort{}, p.Addr())
		answer(t, "Allocate", 0)(first.Allocate(soon(t)))
		first.Close()
		same := dialRaw(t, first.Local(), p.Addr())
		answer(t, "Allocate from the same port", 437)(same.Allocate(soon(t)))
		other := dialRaw(t, netip.AddrPort{}, p.Addr())
		answer(t, "Allocate from another port", 0)(other.Allocate(soon(t)))
		wantHeld(t, s, 2)
	})
}

// faultCase starts a pion server behind a proxy and a client with an allocation.
func faultCase(t *testing.T) (*Pion, *Proxy, *Raw) {
	s := NeedPion(t, PionOptions{})
	p := NeedProxy(t, s)
	r := dialRaw(t, netip.AddrPort{}, p.Addr())
	answer(t, "Allocate", 0)(r.Allocate(soon(t)))
	return s, p, r
}

func count(p *Proxy, match Match) (n int) {
	for _, r := range p.Log() {
		if match(r.Passage) {
			n++
		}
	}
	return n
}

func TestProxyDropsTheFirstReleases(t *testing.T) {
	s, p, r := faultCase(t)
	p.SetFault(First(2, IsRelease, Drop))
	answer(t, "release", 0)(r.Refresh(soon(t), 0))
	if n := count(p, IsRelease); n != 3 {
		t.Fatalf("%d releases came by, want 3: two lost and one that passed", n)
	}
	wantHeld(t, s, 0)
}

func TestProxyDropsEverything(t *testing.T) {
	s, p, r := faultCase(t)
	p.SetFault(First(0, Everything, Drop))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if m, err := r.Refresh(ctx, 0); err == nil {
		t.Fatalf("an answer came through: %v", m)
	}
	wantHeld(t, s, 1)
}

func TestProxyDropsTheAnswer(t *testing.T) {
	s, p, r := faultCase(t)
	p.SetFault(First(1, IsReleaseAnswer, Drop))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	// pion does not answer the second release: it has nothing left.
	if m, err := r.Refresh(ctx, 0); err == nil {
		t.Fatalf("an answer came through: %v", m)
	}
	if n := count(p, IsReleaseAnswer); n != 1 {
		t.Fatalf("%d answers came by, want 1, and that one lost", n)
	}
	wantHeld(t, s, 0)
}

func TestProxyForgesStaleNonce(t *testing.T) {
	s, p, r := faultCase(t)
	p.SetFault(First(1, IsRelease, StaleNonce))
	answer(t, "release", 0)(r.Refresh(soon(t), 0))
	forged := func(r Record) bool { return r.Forged && r.Code == 438 }
	if _, err := p.Await(soon(t), forged); err != nil {
		t.Fatalf("no forged 438 in the log: %v", err)
	}
	own := func(p Passage) bool { return !p.ToServer && p.Code == 438 }
	if n := count(p, own); n != 2 {
		t.Fatalf("%d times 438 came by, want 2: the forged one and the server's own", n)
	}
	wantHeld(t, s, 0)
}

func TestProxyForgesMismatch(t *testing.T) {
	s, p, r := faultCase(t)
	p.SetFault(First(1, IsRelease, UnsignedMismatch))
	m := answer(t, "release", 437)(r.Refresh(soon(t), 0))
	if m.Signed {
		t.Fatal("the forged 437 is signed")
	}
	wantHeld(t, s, 1)
}

func TestProxyHoldsTheAllocateAnswer(t *testing.T) {
	s := NeedPion(t, PionOptions{})
	p := NeedProxy(t, s)
	release := make(chan struct{})
	p.SetFault(First(0, IsAllocateSuccess, Hold(release)))
	r := dialRaw(t, netip.AddrPort{}, p.Addr())
	done := make(chan *Message, 1)
	go func() {
		m, _ := r.Allocate(soon(t))
		done <- m
	}()
	if _, err := p.Await(soon(t), func(r Record) bool { return IsAllocateSuccess(r.Passage) }); err != nil {
		t.Fatal(err)
	}
	wantHeld(t, s, 1)
	select {
	case m := <-done:
		t.Fatalf("an answer came through: %v", m)
	default:
	}
	close(release)
	if m := <-done; m == nil || m.Type != AllocateSuccess {
		t.Fatalf("after the hold came %v, want the success", m)
	}
}

func TestProxyDuplicates(t *testing.T) {
	_, p, r := faultCase(t)
	p.SetFault(First(1, IsRefresh, Duplicate))
	answer(t, "Refresh", 0)(r.Refresh(soon(t), time.Minute))
	isAnswer := func(r Record) bool { return IsRefreshAnswer(r.Passage) }
	first, err := p.Await(soon(t), isAnswer)
	if err != nil {
		t.Fatal(err)
	}
	later := func(r Record) bool { return isAnswer(r) && r.At.After(first.At) }
	if _, err := p.Await(soon(t), later); err != nil {
		t.Fatalf("no second answer to a doubled Refresh: %v", err)
	}
}

func TestProxyDelays(t *testing.T) {
	_, p, r := faultCase(t)
	const delay = 30 * time.Millisecond
	p.SetFault(First(1, IsRefreshAnswer, Delay(delay)))
	start := time.Now()
	answer(t, "Refresh", 0)(r.Refresh(soon(t), time.Minute))
	if d := time.Since(start); d < delay {
		t.Fatalf("the delayed answer came after %v, want at least %v", d, delay)
	}
}
