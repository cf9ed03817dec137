package host_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// The client's address changes under traffic both ways: the relayed address
// stays, and what is lost is less than a second's worth.
func TestL09TrafficGoesOnFromAnotherAddress(t *testing.T) {
	const every, second = 5 * time.Millisecond, 200
	from, to := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")
	if sock, err := hosttest.DialRaw(netip.AddrPortFrom(to, 0), netip.AddrPortFrom(from, 9)); err != nil {
		t.Skipf("this system has no %v: %v", to, err)
	} else {
		sock.Close()
	}
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedCoturn(t, "--mobility")
		cfg := mobileConfig(server.Addr())
		cfg.LocalAddr = from.String()
		c := dial(t, rt, cfg)
		traffic, err := hosttest.NewTraffic(netip.Addr{})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.BindChannel(soon(t), traffic.Peer()); err != nil {
			t.Fatal(err)
		}
		relayed := c.Relayed()
		traffic.Start(c, every)
		if err := traffic.Await(50); err != nil {
			t.Fatal(err)
		}
		traffic.Mark()
		if err := c.RebindFrom(soon(t), to); err != nil {
			t.Errorf("RebindFrom: %v", err)
		}
		if err := traffic.Await(2 * second); err != nil {
			t.Error(err)
		}
		if err := traffic.Stop(time.Second); err != nil {
			t.Error(err)
		}
		if c.Relayed() != relayed || c.Local().Addr() != to {
			t.Errorf("Relayed is %v, it was %v; Local is %v, want %v", c.Relayed(), relayed, c.Local(), to)
		}
		if there, back := traffic.ToPeer.Lost(), traffic.ToUs.Lost(); there > second || back > second {
			t.Errorf("lost %d of %d to the peer, %d of %d from it", there, traffic.ToPeer.Sent(), back, traffic.ToUs.Sent())
		}
		t.Logf("lost %d of %d to the peer, %d of %d from it", traffic.ToPeer.Lost(), traffic.ToPeer.Sent(), traffic.ToUs.Lost(), traffic.ToUs.Sent())
		wantClosed(t, c, 2*time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}
