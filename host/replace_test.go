package host_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

const sharedSecret = "north"

func restCredentials(name string, lifetime time.Duration) host.Credentials {
	return host.TimeLimited([]byte(sharedSecret), name, time.Now().Add(lifetime))
}

// restServers run the test with each server that takes time-limited credentials.
func restServers(t *testing.T, test func(t *testing.T, rt *host.Runtime, server hosttest.Server)) {
	t.Run("pion", func(t *testing.T) {
		engines(t, func(t *testing.T, rt *host.Runtime) {
			test(t, rt, hosttest.NeedPion(t, hosttest.PionOptions{Secret: sharedSecret}))
		})
	})
	t.Run("coturn", func(t *testing.T) {
		engines(t, func(t *testing.T, rt *host.Runtime) {
			test(t, rt, hosttest.NeedCoturn(t, "--use-auth-secret", "--static-auth-secret="+sharedSecret))
		})
	})
}

func limited(server netip.AddrPort, with host.Credentials) host.Config {
	cfg := quick(server)
	cfg.Username, cfg.Password = with.Username, with.Password
	return cfg
}

// Make before break: another username, another port, the same peers; both relay
// until the old one is closed.
func TestA06Replace(t *testing.T) {
	restServers(t, func(t *testing.T, rt *host.Runtime, server hosttest.Server) {
		permitted, bound := hosttest.NeedEcho(t), hosttest.NeedEcho(t)
		proxy := hosttest.NeedProxy(t, server)
		cfg := limited(proxy.Addr(), restCredentials("alice", time.Hour))
		cfg.NoAutoPermission, cfg.LocalAddr = true, "127.0.0.1"
		old := dial(t, rt, cfg)
		if err := errors.Join(old.CreatePermission(soon(t), permitted.Addr().Addr()), old.BindChannel(soon(t), bound.Addr())); err != nil {
			t.Fatal(err)
		}
		next, err := old.Replace(soon(t), restCredentials("alice", 2*time.Hour))
		if err != nil {
			t.Fatalf("Replace: %v", err)
		}
		if next.Relayed() == old.Relayed() || next.Local() == old.Local() || next.Server() != old.Server() {
			t.Errorf("from %v at %v to %v at %v", old.Relayed(), old.Local(), next.Relayed(), next.Local())
		}
		wantHeld(t, server, 2)
		for _, c := range []*host.Conn{next, old} {
			wantEcho(t, c, permitted.Addr(), "with a permission")
			wantEcho(t, c, bound.Addr(), "by a channel")
		}
		if n := channelsAsked(proxy, next.Local()); n == 0 {
			t.Error("the new Conn has no channel")
		}
		wantClosed(t, old, 2*time.Second, client.Released)
		wantHeld(t, server, 1)
		wantEcho(t, next, permitted.Addr(), "after the old one")
		wantClosed(t, next, 2*time.Second, client.Released)
		wantHeld(t, server, 0)
		if _, err := old.Replace(soon(t), restCredentials("alice", time.Hour)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Replace of a closed Conn: %v", err)
		}
	})
}

func channelsAsked(proxy *hosttest.Proxy, from netip.AddrPort) (n int) {
	for _, p := range proxy.Log() {
		if p.ToServer && p.Client == from && p.Type == hosttest.ChannelBindRequest {
			n++
		}
	}
	return n
}

// What does not come to be leaves nothing, and the old Conn as it was.
func TestA06ReplaceFails(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{Secret: sharedSecret})
		proxy := hosttest.NeedProxy(t, server)
		peer := hosttest.NeedEcho(t).Addr()
		old := dial(t, rt, limited(proxy.Addr(), restCredentials("alice", time.Hour)))
		wantEcho(t, old, peer, "before")

		expired := restCredentials("alice", -time.Hour)
		if _, err := old.Replace(soon(t), expired); err == nil {
			t.Error("expired credentials are taken")
		}
		ctx, cancel := context.WithCancel(soon(t))
		defer cancel()
		proxy.SetFault(func(p hosttest.Passage) hosttest.Action {
			if p.ToServer && p.Type == hosttest.PermissionRequest && p.Client != old.Local() {
				cancel()
				return hosttest.Action{Drop: true}
			}
			return hosttest.Action{}
		})
		if _, err := old.Replace(ctx, restCredentials("bob", time.Hour)); !errors.Is(err, context.Canceled) {
			t.Errorf("Replace that is cancelled at its permissions: %v", err)
		}
		wantHeld(t, server, 1)
		wantEcho(t, old, peer, "after")
		wantClosed(t, old, 2*time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}

// The application hears of it in time, and goes on with another allocation.
func TestA06Renew(t *testing.T) {
	restServers(t, func(t *testing.T, rt *host.Runtime, server hosttest.Server) {
		renewed := make(chan *host.Conn, 2)
		cfg := limited(server.Addr(), restCredentials("alice", time.Hour))
		cfg.RenewBefore = 2 * time.Hour // at once, then
		cfg.Renew = func(c *host.Conn, until time.Time) {
			if left := time.Until(until); left > time.Hour || left < 50*time.Minute {
				t.Errorf("it expires in %v", left)
			}
			next, err := c.Replace(context.Background(), restCredentials("alice", 24*time.Hour))
			if err != nil {
				t.Errorf("Replace: %v", err)
			}
			renewed <- next
		}
		old := dial(t, rt, cfg)
		next := <-renewed
		if next == nil {
			t.FailNow()
		}
		wantClosed(t, old, 2*time.Second, client.Released)
		wantEcho(t, next, hosttest.NeedEcho(t).Addr(), "renewed")
		wantClosed(t, next, 2*time.Second, client.Released)
		if len(renewed) != 0 {
			t.Error("credentials for a day were renewed at once")
		}
	})
}
