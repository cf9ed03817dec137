package host_test

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// A server that starts anew ends its streams and refuses others for a while:
// with Config.Reallocate there is another stream then, and an allocation with
// the same permissions and channels.
func TestT02StreamIsFollowedByAnother(t *testing.T) {
	a := newAuthority(t)
	for _, by := range []string{"TCP", "TLS"} {
		t.Run(by, func(t *testing.T) {
			engines(t, func(t *testing.T, rt *host.Runtime) {
				t.Parallel() // each waits for the pause between two Allocates
				server, echo := hosttest.NeedCoturn(t, certified(t, a)...), hosttest.NeedEcho(t)
				cfg := config(server.Addr())
				cfg.URL = urls(server.Addr(), server.Secured(), server.Secured())[by]
				cfg.ServerName, cfg.TLS = certName, &tls.Config{RootCAs: a.Roots}
				cfg.Reallocate = true
				c := dial(t, rt, cfg)
				if err := c.BindChannel(soon(t), echo.Addr()); err != nil {
					t.Fatal("BindChannel:", err)
				}
				wantEcho(t, c, echo.Addr(), "on the first stream")
				if err := server.Restart(soon(t)); err != nil {
					t.Fatal(err)
				}
				wantEvents(t, c, client.AllocationLost, client.FlowNeeded, client.Allocated, client.ChannelBound)
				wantEcho(t, c, echo.Addr(), "on the second stream")
				wantHeld(t, server, 1)
				wantClosed(t, c, 5*time.Second, client.Released)
				wantHeld(t, server, 0)
			})
		})
	}
}

// wantEvents waits for these, in this order.
func wantEvents(t *testing.T, c *host.Conn, kinds ...client.EventKind) {
	t.Helper()
	late := time.After(20 * time.Second)
	for _, kind := range kinds {
		for found := false; !found; {
			select {
			case e, ok := <-c.Events():
				if found = e.Kind == kind; !ok {
					t.Fatalf("no event %v before the end", kind)
				}
			case <-late:
				t.Fatalf("no event %v", kind)
			}
		}
	}
}
