package host_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// BenchmarkWriteTo is one goroutine that sends payloads of 1200 bytes over a
// channel, and the same bytes over a plain UDP socket for comparison. What the
// server does with them runs in this process too.
func BenchmarkWriteTo(b *testing.B) {
	sink, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer sink.Close()
	peer := sink.LocalAddr().(*net.UDPAddr).AddrPort()
	payload := make([]byte, 1200)
	b.Run("plain", func(b *testing.B) {
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		writes(b, func() error { _, err := c.WriteToUDPAddrPort(payload, peer); return err })
	})
	for _, e := range []host.Engine{host.Native, host.Wasm} {
		b.Run(e.String(), func(b *testing.B) {
			c := benchConn(b, e, peer)
			writes(b, func() error { _, err := c.WriteToAddrPort(payload, peer); return err })
		})
	}
}

func writes(b *testing.B, write func() error) {
	b.SetBytes(1200)
	b.ReportAllocs()
	for b.Loop() {
		if err := write(); err != nil {
			b.Fatal(err)
		}
	}
}

func benchConn(b *testing.B, e host.Engine, peer netip.AddrPort) *host.Conn {
	rt, err := host.New(b.Context(), host.WithEngine(e))
	if err != nil {
		b.Fatal(err)
	}
	server := hosttest.NeedPion(b, hosttest.PionOptions{})
	b.Cleanup(func() { rt.Close() }) // before the server goes
	c, err := rt.Dial(b.Context(), config(server.Addr()))
	if err != nil {
		b.Fatal(err)
	}
	if err := c.BindChannel(b.Context(), peer); err != nil {
		b.Fatal(err)
	}
	return c
}
