package host

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

var _ net.PacketConn = (*Conn)(nil)

// network is what a *net.OpError calls this.
const network = "turn"

// ReadFrom takes the next payload and its peer. What does not fit b is lost.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, peer, err := c.ReadFromAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(peer), nil
}

// ReadFromAddrPort is ReadFrom without its allocation.
func (c *Conn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	passed := c.readDeadline.wait()
	if err := c.usable(passed); err != nil {
		return 0, netip.AddrPort{}, c.opError("read", netip.AddrPort{}, err)
	}
	select {
	case p := <-c.in.queue:
		return p.into(b), p.peer, nil
	case <-passed:
		return 0, netip.AddrPort{}, c.opError("read", netip.AddrPort{}, os.ErrDeadlineExceeded)
	case <-c.closing:
		return 0, netip.AddrPort{}, c.opError("read", netip.AddrPort{}, c.closedError())
	}
}

// WriteTo sends a payload to the peer, a *net.UDPAddr.
func (c *Conn) WriteTo(b []byte, addr net.Addr) (int, error) {
	peer, err := addrPort(addr)
	if err != nil {
		return 0, c.opError("write", netip.AddrPort{}, err)
	}
	return c.WriteToAddrPort(b, peer)
}

// WriteToAddrPort is WriteTo without its allocation.
func (c *Conn) WriteToAddrPort(b []byte, peer netip.AddrPort) (int, error) {
	err := c.usable(c.writeDeadline.wait())
	if err == nil {
		err = c.driver.do(func() error {
			if c.stage >= stageEnded {
				return net.ErrClosed
			}
			c.driver.touch(c)
			return c.driver.send(c, unmap(peer), b)
		})
	}
	if err != nil {
		return 0, c.opError("write", peer, err)
	}
	return len(b), nil
}

// usable says why neither reading nor writing makes sense.
func (c *Conn) usable(passed <-chan struct{}) error {
	switch {
	case isClosed(c.closing):
		return c.closedError()
	case isClosed(passed):
		return os.ErrDeadlineExceeded
	}
	return nil
}

// closedError is why closing is closed: net.ErrClosed, unless it came by itself.
func (c *Conn) closedError() error {
	if why := c.failure.Load(); why != nil {
		return *why
	}
	return net.ErrClosed
}

// SetDeadline sets both deadlines; the zero time is never. A reader that waits
// is told at once.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline sets ReadFrom's.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadline(c.readDeadline, t) }

// SetWriteDeadline sets WriteTo's. A WriteTo does not wait for long, so it
// matters only when it has passed before.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(c.writeDeadline, t) }

func (c *Conn) setDeadline(d *deadline, t time.Time) error {
	if isClosed(c.closing) {
		return c.opError("set", netip.AddrPort{}, c.closedError())
	}
	d.set(t)
	return nil
}

// opError wraps err as package net does. peer may be zero.
func (c *Conn) opError(op string, peer netip.AddrPort, err error) error {
	e := &net.OpError{Op: op, Net: network, Source: c.LocalAddr(), Err: err}
	if peer.IsValid() {
		e.Addr = net.UDPAddrFromAddrPort(peer)
	}
	return e
}

// addrPort reads a peer's address.
func addrPort(addr net.Addr) (netip.AddrPort, error) {
	switch a := addr.(type) {
	case nil:
		return netip.AddrPort{}, &net.AddrError{Err: "missing address"}
	case interface{ AddrPort() netip.AddrPort }:
		return a.AddrPort(), nil
	}
	peer, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("peer's address: %w", err)
	}
	return peer, nil
}

// unmap: package net keeps IPv4 addresses in 16 bytes, TURN does not.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}
