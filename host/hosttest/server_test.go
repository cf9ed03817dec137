package hosttest

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// servers runs the test against both real servers.
func servers(t *testing.T, test func(t *testing.T, s Server)) {
	t.Run("coturn", func(t *testing.T) { test(t, NeedCoturn(t)) })
	t.Run("pion", func(t *testing.T) { test(t, NeedPion(t, PionOptions{})) })
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func dialRaw(t *testing.T, local, server netip.AddrPort) *Raw {
	t.Helper()
	r, err := DialRaw(local, server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// answer fails the test unless the server answered with that code, 0 = success.
func answer(t *testing.T, what string, code int) func(*Message, error) *Message {
	return func(m *Message, err error) *Message {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if m.Code != code {
			t.Fatalf("%s: the server answered %v, want code %d", what, m, code)
		}
		return m
	}
}

func wantHeld(t *testing.T, s Server, want int) {
	t.Helper()
	n, err := AwaitHeld(soon(t), s, want)
	if err != nil || n != want {
		t.Fatalf("%s holds %d allocations (%v), want %d", s.Name(), n, err, want)
	}
}

func TestServerHoldsUntilRelease(t *testing.T) {
	servers(t, func(t *testing.T, s Server) {
		wantHeld(t, s, 0)
		r := dialRaw(t, netip.AddrPort{}, s.Addr())
		m := answer(t, "Allocate", 0)(r.Allocate(soon(t)))
		if !m.Relayed.IsValid() || m.Relayed.Addr() != loopback || m.Lifetime != 600 {
			t.Fatalf("allocated %v for %d s, want 127.0.0.1 for 600 s", m.Relayed, m.Lifetime)
		}
		if n, err := s.Held(); n != 1 || err != nil {
			t.Fatalf("right after its success %s holds %d (%v), want 1", s.Name(), n, err)
		}
		answer(t, "release", 0)(r.Refresh(soon(t), 0))
		wantHeld(t, s, 0)
	})
}

func TestSecondAllocateOnTheSamePortIsAMismatch(t *testing.T) {
	servers(t, func(t *testing.T, s Server) {
		first := dialRaw(t, netip.AddrPort{}, s.Addr())
		answer(t, "first Allocate", 0)(first.Allocate(soon(t)))
		first.Close()
		second := dialRaw(t, first.Local(), s.Addr())
		answer(t, "second Allocate from the same port", 437)(second.Allocate(soon(t)))
		wantHeld(t, s, 1)
	})
}

func TestPionOptions(t *testing.T) {
	s := NeedPion(t, PionOptions{Quota: 1, Lifetime: time.Minute})
	first, second := dialRaw(t, netip.AddrPort{}, s.Addr()), dialRaw(t, netip.AddrPort{}, s.Addr())
	if m := answer(t, "first Allocate", 0)(first.Allocate(soon(t))); m.Lifetime != 60 {
		t.Fatalf("granted %d s, want 60", m.Lifetime)
	}
	answer(t, "Allocate over the quota", 486)(second.Allocate(soon(t)))
}

func TestCoturnFlags(t *testing.T) {
	s := NeedCoturn(t, "--user-quota=1")
	first, second := dialRaw(t, netip.AddrPort{}, s.Addr()), dialRaw(t, netip.AddrPort{}, s.Addr())
	answer(t, "first Allocate", 0)(first.Allocate(soon(t)))
	answer(t, "Allocate over the quota", 486)(second.Allocate(soon(t)))
}

func TestCoturnThatCannotStartSaysWhy(t *testing.T) {
	NeedCoturn(t) // or skip
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	c, err := StartCoturn(ctx, "--no-such-flag")
	if err == nil {
		c.Close()
		t.Fatal("coturn started with a flag that it does not know")
	}
}

func TestWrongPasswordIsRejected(t *testing.T) {
	s := NeedCoturn(t)
	r := dialRaw(t, netip.AddrPort{}, s.Addr())
	r.pass = "wrong"
	answer(t, "Allocate with a wrong password", 401)(r.Allocate(soon(t)))
}

func TestPionClientAgainstBoth(t *testing.T) {
	servers(t, func(t *testing.T, s Server) {
		echo := NeedEcho(t)
		c, err := StartPionClient(netip.AddrPort{}, s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		relay, err := c.Allocate()
		if err != nil {
			t.Fatal(err)
		}
		wantHeld(t, s, 1)
		wantEcho(t, relay, echo)
		if err := relay.Close(); err != nil {
			t.Fatalf("closing pion's relay conn: %v", err)
		}
		wantHeld(t, s, 0)
	})
}
