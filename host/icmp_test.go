package host_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// TestRoutersEndNothing: what a router says of one datagram, a long one for
// one, is told to whoever reads or sends next; the allocation and the socket
// stay, and the datagram that met the error is sent.
func TestRoutersEndNothing(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server, echo := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t)
		c := dial(t, rt, config(server.Addr()))
		wantEcho(t, c, echo.Addr(), "before")
		for code := range byte(16) {
			err := hosttest.ICMP(code, c.Local(), server.Addr())
			if errors.Is(err, os.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
				t.Skip("no raw sockets here: ", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			wantEcho(t, c, echo.Addr(), "afterwards")
		}
		if err := c.Refresh(soon(t)); err != nil {
			t.Errorf("Refresh: %v", err)
		}
		wantClosed(t, c, time.Second, client.Released)
	})
}
