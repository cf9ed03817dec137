package hosttest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// listenLoopback opens a UDP socket on a free port of the address; the zero
// Addr is 127.0.0.1.
func listenLoopback(ip netip.Addr) (*net.UDPConn, error) {
	if !ip.IsValid() {
		ip = loopback
	}
	return net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
}

func localAddr(c net.PacketConn) netip.AddrPort {
	ap := c.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// earlier is the earlier one of t and ctx's deadline.
func earlier(ctx context.Context, t time.Time) time.Time {
	if d, ok := ctx.Deadline(); ok && d.Before(t) {
		return d
	}
	return t
}

// pause waits for d or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
