package host_test

import (
	"errors"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// refusesRefreshes answers 437 to every Refresh that is no release: to the
// client the allocation is gone.
func refusesRefreshes(t *testing.T, server hosttest.Server) *hosttest.Proxy {
	t.Helper()
	proxy := hosttest.NeedProxy(t, server)
	proxy.SetFault(hosttest.First(0, hosttest.IsRefresh, hosttest.UnsignedMismatch))
	return proxy
}

func TestLostAllocation(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		proxy := refusesRefreshes(t, hosttest.NeedPion(t, hosttest.PionOptions{}))
		c := dial(t, rt, quick(proxy.Addr()))
		read := make(chan error, 1)
		go func() {
			_, _, err := c.ReadFrom(make([]byte, 1))
			read <- err
		}()
		wantLost := func(what string, err error) {
			t.Helper()
			if wantRequestError(t, err, "Refresh", 437); !errors.Is(err, host.ErrLost) {
				t.Errorf("%s: %v, want ErrLost", what, err)
			}
		}
		wantLost("Refresh", c.Refresh(soon(t)))
		wantLost("the waiting ReadFrom", <-read)
		_, err := c.WriteTo([]byte("x"), c.LocalAddr())
		wantLost("WriteTo", err)
		if c.Relayed().IsValid() {
			t.Errorf("Relayed is still %v", c.Relayed())
		}
		c.CloseWith(soon(t), time.Second)
	})
}

func TestReallocate(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server, echo := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t)
		proxy := refusesRefreshes(t, server)
		cfg := quick(proxy.Addr())
		cfg.Reallocate = true
		c := dial(t, rt, cfg)
		first := c.Relayed()
		if err := c.BindChannel(soon(t), echo.Addr()); err != nil {
			t.Fatalf("BindChannel: %v", err)
		}
		if err := c.Refresh(soon(t)); !errors.Is(err, host.ErrLost) {
			t.Errorf("Refresh: %v, want ErrLost", err)
		}
		lost := false
		for e := range c.Events() {
			if lost = lost || e.Kind == client.AllocationLost; lost && e.Kind == client.Allocated {
				break
			}
		}
		if second := c.Relayed(); !second.IsValid() || second == first {
			t.Errorf("Relayed is %v, was %v before", second, first)
		}
		wantEcho(t, c, echo.Addr(), "through the new allocation")
		wantClosed(t, c, 5*time.Second, client.Released)
	})
}
