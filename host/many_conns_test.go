package host_test

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// Conns of one Runtime that do everything at the same time, in one instance and
// in one each.
func TestManyConnsAtOnce(t *testing.T) {
	for _, perInstance := range []int{0, 1} {
		engines(t, func(t *testing.T, rt *host.Runtime) {
			server, echo := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t)
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					c, err := rt.Dial(soon(t), config(server.Addr()))
					if err != nil {
						t.Errorf("Dial: %v", err)
						return
					}
					if i%2 == 0 {
						err = c.BindChannel(soon(t), echo.Addr())
					}
					if err = errors.Join(err, c.Refresh(soon(t)), echoed(t, c, echo.Addr()), c.Close()); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			wantHeld(t, server, 0)
		}, host.WithClientsPerInstance(perInstance))
	}
}

// echoed is for goroutines, where a test must not be stopped.
func echoed(t *testing.T, c *host.Conn, peer netip.AddrPort) error {
	if _, err := c.WriteToAddrPort([]byte("x"), peer); err != nil {
		return err
	}
	_, from, err := c.ReadFromAddrPort(make([]byte, 10))
	if err == nil && from != peer {
		t.Errorf("the echo came from %v, want %v", from, peer)
	}
	return err
}

// A Runtime that is closed while Dials are under way leaves nothing behind.
func TestRuntimeClosedUnderDials(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		var all sync.WaitGroup
		begun := make(chan struct{}, 1)
		for range 8 {
			all.Go(func() {
				for {
					c, err := rt.Dial(soon(t), config(server.Addr()))
					if err != nil {
						if !errors.Is(err, net.ErrClosed) {
							t.Errorf("Dial: %v, want net.ErrClosed", err)
						}
						return
					}
					select {
					case begun <- struct{}{}:
					default:
					}
					if err := c.Close(); err != nil {
						t.Errorf("Close: %v", err)
					}
				}
			})
		}
		<-begun
		if err := rt.Close(); err != nil {
			t.Errorf("Runtime.Close: %v", err)
		}
		all.Wait()
		wantHeld(t, server, 0)
	})
}

func TestIPv6(t *testing.T) {
	here, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Fatalf("no IPv6 on loopback: %v", err)
	}
	here.Close()
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{Listen: netip.MustParseAddrPort("[::1]:0")})
		echo, err := hosttest.StartEcho(netip.IPv6Loopback())
		if err != nil {
			t.Fatal(err)
		}
		defer echo.Close()
		cfg := config(server.Addr())
		cfg.Family = client.FamilyIPv6
		c := dial(t, rt, cfg)
		if !c.Relayed().Addr().Is6() {
			t.Errorf("Relayed is %v, want an IPv6 address", c.Relayed())
		}
		wantEcho(t, c, echo.Addr(), "six")
		wantClosed(t, c, 0, client.Unconfirmed)
		wantHeld(t, server, 0)
	})
}

// "check username and password", then the right ones, on a live allocation.
func TestSetCredentials(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		c := dial(t, rt, quick(server.Addr()))
		if err := c.SetCredentials(hosttest.Username, "wrong"); err != nil {
			t.Fatalf("SetCredentials: %v", err)
		}
		wantRequestError(t, c.Refresh(soon(t)), "Refresh", 400) // pion's answer to it
		if err := c.SetCredentials(hosttest.Username, hosttest.Password); err != nil {
			t.Fatalf("SetCredentials: %v", err)
		}
		if err := c.Refresh(soon(t)); err != nil {
			t.Errorf("Refresh with the right password: %v", err)
		}
		if err := c.SetCredentials("", "x"); err == nil {
			t.Error("a password without a username is taken")
		}
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}
