package host_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// "The client SHOULD try three different client transport addresses before
// giving up on this server. Once the client gives up on the server, it SHOULD
// NOT try to create another allocation on the server for 2 minutes."
// RFC 8656 section 7.4
func TestMismatchTakesAnotherPort(t *testing.T) {
	for _, refused := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(refused, " ports refused"), func(t *testing.T) {
			engines(t, func(t *testing.T, rt *host.Runtime) {
				server := hosttest.NeedPion(t, hosttest.PionOptions{})
				proxy := hosttest.NeedProxy(t, server)
				proxy.SetFault(mismatches(refused))
				c, err := rt.Dial(soon(t), config(proxy.Addr()))
				if refused < 3 {
					if err != nil {
						t.Fatalf("Dial: %v", err)
					}
					wantClosed(t, c, time.Second, client.Released)
					return
				}
				wantRequestError(t, err, "Allocate", 437)
				if n := len(portsTried(proxy)); n != 3 {
					t.Errorf("%d local ports were tried, want 3", n)
				}
				_, err = rt.Dial(soon(t), config(proxy.Addr()))
				if wantRequestError(t, err, "Allocate", 437); !errors.Is(err, host.ErrLeftAlone) {
					t.Errorf("the next Dial: %v, want ErrLeftAlone", err)
				}
				if n := len(portsTried(proxy)); n != 3 {
					t.Error("the next Dial asked the server")
				}
			})
		})
	}
}

// mismatches answers 437 to the Allocates of the first n local ports.
func mismatches(n int) hosttest.Fault {
	ports := make(map[netip.AddrPort]bool)
	return func(p hosttest.Passage) hosttest.Action {
		if !hosttest.IsAllocate(p) {
			return hosttest.Action{}
		}
		if ports[p.Client] = true; len(ports) > n {
			return hosttest.Action{}
		}
		return hosttest.UnsignedMismatch(p)
	}
}

func portsTried(proxy *hosttest.Proxy) map[netip.AddrPort]bool {
	ports := make(map[netip.AddrPort]bool)
	for _, r := range proxy.Log() {
		if r.ToServer {
			ports[r.Client] = true
		}
	}
	return ports
}

func TestQuotaLeavesTheServerAlone(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{Quota: 1})
		first := dial(t, rt, quick(server.Addr()))
		_, err := rt.Dial(soon(t), quick(server.Addr()))
		if why := wantRequestError(t, err, "Allocate", 486); why.RetryAfter != time.Minute {
			t.Errorf("RetryAfter is %v, want a minute", why.RetryAfter)
		}
		wantClosed(t, first, time.Second, client.Released)
		if _, err = rt.Dial(soon(t), config(server.Addr())); !errors.Is(err, host.ErrLeftAlone) {
			t.Errorf("the next Dial: %v, want ErrLeftAlone", err)
		}
		if why, is := errors.AsType[*host.LeftAloneError](err); !is || time.Until(why.Until) > time.Minute || time.Until(why.Until) <= 0 {
			t.Errorf("it does not say until when: %v", err)
		}
		impatient := quick(server.Addr())
		impatient.Impatient = true
		wantClosed(t, dial(t, rt, impatient), time.Second, client.Released)
	})
}

// An earlier run was killed; the next one, on the same port, takes its
// allocation back by itself.
func TestReclaim(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		raw, err := hosttest.DialRaw(netip.MustParseAddrPort("127.0.0.1:0"), server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if m, err := raw.Allocate(soon(t)); err != nil || m.Code != 0 {
			t.Fatalf("the earlier run: %v, %v", m, err)
		}
		local := raw.Local()
		raw.Close() // without a release
		wantHeld(t, server, 1)

		cfg := quick(server.Addr())
		cfg.LocalAddr = local.String()
		c := dial(t, rt, cfg)
		if c.Local() != local {
			t.Errorf("the local address is %v, want %v", c.Local(), local)
		}
		wantHeld(t, server, 1)
		wantClosed(t, c, time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}

// A port that the caller chose is not changed for another one.
func TestMismatchOnTheCallersPort(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		proxy := hosttest.NeedProxy(t, hosttest.NeedPion(t, hosttest.PionOptions{}))
		proxy.SetFault(mismatches(3))
		raw, err := hosttest.DialRaw(netip.MustParseAddrPort("127.0.0.1:0"), proxy.Addr())
		if err != nil {
			t.Fatal(err)
		}
		local := raw.Local()
		raw.Close()
		cfg := config(proxy.Addr())
		cfg.LocalAddr, cfg.NoReclaim = local.String(), true
		_, err = rt.Dial(soon(t), cfg)
		if why := wantRequestError(t, err, "Allocate", 437); why.RetryAfter != 0 {
			t.Errorf("RetryAfter is %v, want none: another port may do", why.RetryAfter)
		}
		if ports := portsTried(proxy); len(ports) != 1 || !ports[local] {
			t.Errorf("the ports %v were tried, want %v alone", ports, local)
		}
	})
}
