package host

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"
)

var _ net.PacketConn = (*Conn)(nil)

// network is what a *net.OpError calls this.
const network = "turn"

// ReadFrom takes the next payload and its peer, a *net.UDPAddr, which must not
// be changed: payloads of the same peer come with the same one. What does not
// fit b is lost.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, peer, err := c.ReadFromAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, c.addrs.of(peer), nil
}

// ReadFromAddrPort is ReadFrom with another form of the address.
func (c *Conn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	r := &c.in
	r.mu.Lock()
	for {
		lead, err := c.awaitRead()
		if err != nil {
			r.mu.Unlock()
			return 0, netip.AddrPort{}, c.opError("read", netip.AddrPort{}, err)
		}
		if !lead {
			n, peer := r.inbox.pop(b)
			r.passOn()
			r.mu.Unlock()
			return n, peer, nil
		}
		r.front.one[0] = Message{Buffer: b}
		if n, m := c.lead(r.front.one[:]); n > 0 {
			return m.N, m.Peer, nil
		}
		r.mu.Lock()
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

// WriteToAddrPort is WriteTo with another form of the address.
//
// A lone write goes out before it returns. Writes that follow each other
// closely may be queued, and go out together soon; a full queue makes the next
// one wait. What becomes of a queued one is the error of a later write.
func (c *Conn) WriteToAddrPort(b []byte, peer netip.AddrPort) (int, error) {
	err := c.usable(&c.writeDeadline)
	if err == nil {
		err = c.writes.write(b, unmap(peer))
	}
	if err != nil {
		return 0, c.opError("write", peer, err)
	}
	return len(b), nil
}

// usable says why neither reading nor writing makes sense.
func (c *Conn) usable(d *deadline) error {
	switch {
	case isClosed(c.closing):
		return c.closedError()
	case d.passed.Load():
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
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadline(&c.readDeadline, t) }

// SetWriteDeadline sets WriteTo's, which waits only where the queue is full.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.writeDeadline, t) }

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

// addrCache keeps net.Addrs of peers that were heard lately, so that ReadFrom
// makes none for each payload.
type addrCache [8]atomic.Pointer[net.UDPAddr]

func (l *addrCache) of(peer netip.AddrPort) net.Addr {
	known := &l[int(peer.Port())%len(l)]
	if a := known.Load(); a != nil && a.AddrPort() == peer {
		return a
	}
	a := net.UDPAddrFromAddrPort(peer)
	known.Store(a)
	return a
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
