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

func TestCloseAtEachPhase(t *testing.T) {
	for phase, want := range map[client.Phase]client.Outcome{
		client.PhaseNew:           client.NothingToRelease,
		client.PhaseAllocating:    client.NothingToRelease, // the 401 says so
		client.PhaseAuthenticated: client.Released,
		client.PhaseAllocated:     client.Released,
	} {
		t.Run(phase.String(), func(t *testing.T) {
			engines(t, func(t *testing.T, rt *host.Runtime) {
				server := hosttest.NeedPion(t, hosttest.PionOptions{})
				proxy := hosttest.NeedProxy(t, server)
				c := open(t, rt, config(proxy.Addr()))
				if err := c.CloseAt(phase, 5*time.Second); err != nil {
					t.Fatalf("CloseAt: %v", err)
				}
				allocated := c.Allocate(soon(t))
				if phase != client.PhaseAllocated && allocated == nil {
					t.Errorf("Allocate is well after a close in phase %v", phase)
				}
				<-c.Done()
				wantClosed(t, c, 0, want)
				wantHeld(t, server, 0)
				if sent := len(proxy.Log()); (sent == 0) != (phase == client.PhaseNew) {
					t.Errorf("%d datagrams passed", sent)
				}
			})
		})
	}
}

func TestCloseWithoutLingerSendsOneReleaseAndGoes(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		proxy := hosttest.NeedProxy(t, server)
		c := dial(t, rt, config(proxy.Addr()))
		closed := wantClosed(t, c, 0, client.Unconfirmed)
		if left := time.Until(closed.Until); left < 9*time.Minute || left > 10*time.Minute {
			t.Errorf("Until is in %v, want the lifetime of 10 minutes", left)
		}
		wantHeld(t, server, 0)
		releases := 0
		for _, r := range proxy.Log() {
			if hosttest.IsRelease(r.Passage) {
				releases++
			}
		}
		if releases != 1 {
			t.Errorf("%d releases were sent, want 1", releases)
		}
		if err := c.Close(); err == nil {
			t.Error("Close after that is nil, want the *CloseError")
		}
	})
}

func TestLostReleasesAreRepeated(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		proxy := hosttest.NeedProxy(t, server)
		cfg := config(proxy.Addr())
		cfg.RTO = 50 * time.Millisecond
		c := dial(t, rt, cfg)
		proxy.SetFault(hosttest.First(2, hosttest.IsRelease, hosttest.Drop))
		wantClosed(t, c, 10*time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}

func TestCloseOfASilentServerEndsWithTheLinger(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		proxy := hosttest.NeedProxy(t, server)
		cfg := config(proxy.Addr())
		cfg.Linger = 100 * time.Millisecond
		c := dial(t, rt, cfg)
		proxy.SetFault(hosttest.Drop)
		start := time.Now()
		failed, is := errors.AsType[*host.CloseError](c.Close())
		if took := time.Since(start); took < 100*time.Millisecond || took > 5*time.Second {
			t.Errorf("Close took %v, want its linger of 100 ms", took)
		}
		if !is || failed.Closed.Outcome != client.Unconfirmed || failed.Closed.Until.Before(start) {
			t.Errorf("the error is %v, want unconfirmed with its Until", failed)
		}
	})
}

// The context ends the wait, not the release.
func TestCloseGoesOnWithoutItsCaller(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		proxy := hosttest.NeedProxy(t, server)
		c := dial(t, rt, config(proxy.Addr()))
		released := make(chan struct{})
		proxy.SetFault(hosttest.First(0, hosttest.IsRelease, hosttest.Hold(released)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := c.CloseWith(ctx, 10*time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("CloseWith: %v, want the context's error", err)
		}
		close(released)
		wantClosed(t, c, 10*time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}

// Each time it is another server: pion's goes on deleting what a released
// 5-tuple had while the next allocation may have it already.
func TestTheLocalPortIsFreeAfterClose(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		local := ""
		for range 5 {
			server := hosttest.NeedPion(t, hosttest.PionOptions{})
			cfg := config(server.Addr())
			cfg.LocalAddr = local
			c := dial(t, rt, cfg)
			if local != "" && c.Local().String() != local {
				t.Fatalf("the local address is %s, want %s", c.Local(), local)
			}
			local = c.Local().String()
			wantClosed(t, c, 5*time.Second, client.Released)
			wantHeld(t, server, 0)
		}
	})
}
