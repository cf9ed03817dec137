package host

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/turnwasm/turnwasm/wasm/abi"
)

// tcpConn is a connection with a peer through the relay; see Conn.DialTCP.
type tcpConn struct {
	link        *link
	conn        net.Conn
	local, peer net.Addr
	lost        atomic.Pointer[error]
	closed      sync.Once

	mu    sync.Mutex
	early []byte // came with the server's answer
}

var _ net.Conn = (*tcpConn)(nil)

// Read is net.Conn's.
func (t *tcpConn) Read(b []byte) (int, error) {
	if n := t.takeEarly(b); n > 0 {
		return n, nil
	}
	n, err := t.conn.Read(b)
	return n, t.why("read", err)
}

func (t *tcpConn) takeEarly(b []byte) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := copy(b, t.early)
	if t.early = t.early[n:]; len(t.early) == 0 {
		t.early = nil
	}
	return n
}

// Write is net.Conn's.
func (t *tcpConn) Write(b []byte) (int, error) {
	n, err := t.conn.Write(b)
	return n, t.why("write", err)
}

// why is the error: the allocation's end, if it was that.
func (t *tcpConn) why(op string, err error) error {
	if lost := t.lost.Load(); err != nil && lost != nil {
		return &net.OpError{Op: op, Net: network, Source: t.local, Addr: t.peer, Err: *lost}
	}
	return err
}

// Close ends the connection; the server closes the peer's then.
func (t *tcpConn) Close() error {
	err := net.ErrClosed
	t.closed.Do(func() {
		err = t.conn.Close()
		if t.lost.Load() != nil {
			err = nil
		}
		l := t.link
		l.c.driver.mu.Lock()
		delete(l.c.relay.links, l.flow)
		l.c.driver.mu.Unlock()
		l.c.tellFlow(l.flow, abi.FlowClosed)
	})
	return err
}

// LocalAddr is the relayed transport address, a *net.TCPAddr.
func (t *tcpConn) LocalAddr() net.Addr { return t.local }

// RemoteAddr is the peer, a *net.TCPAddr.
func (t *tcpConn) RemoteAddr() net.Addr { return t.peer }

// SetDeadline is net.Conn's.
func (t *tcpConn) SetDeadline(at time.Time) error { return t.conn.SetDeadline(at) }

// SetReadDeadline is net.Conn's.
func (t *tcpConn) SetReadDeadline(at time.Time) error { return t.conn.SetReadDeadline(at) }

// SetWriteDeadline is net.Conn's.
func (t *tcpConn) SetWriteDeadline(at time.Time) error { return t.conn.SetWriteDeadline(at) }

// DialTCP connects to the peer from the relayed address, of a Conn of
// Config.RelayTCP. It needs no permission. There can be one such connection to a
// peer: client.ErrConnected. What the server says of the peer is a
// *RequestError: 447 when it does not answer, and then the next DialTCP to it
// waits until 10 s have passed.
//
// What the net.Conn carries goes over a connection of its own to the server, TLS if
// the URL says turns:, and is not framed. LocalAddr is the relayed address,
// RemoteAddr the peer's. It ends with the allocation: Read and Write answer
// ErrLost then. There is no CloseWrite: servers close both directions at the end
// of one.
//
// When the context ends it returns at once; the connection, should there be one
// yet, is closed as soon as it is there.
func (c *Conn) DialTCP(ctx context.Context, peer netip.AddrPort) (net.Conn, error) {
	peer = unmap(peer)
	for pause := firstRedial; ; pause *= 2 {
		conn, err := c.dialTCP(ctx, peer)
		if err == nil {
			return conn, nil
		}
		why, is := errors.AsType[*RequestError](err)
		if !is || why.Code != 446 || pause > lastRedial || !c.rest(ctx, pause) {
			return nil, &net.OpError{Op: "dial", Net: network, Source: c.LocalAddr(), Addr: net.TCPAddrFromAddrPort(peer), Err: err}
		}
	}
}

// A server may not have noticed yet that an earlier connection to the peer was
// closed, and answers 446: it is asked again, for about a second and a half.
const (
	firstRedial = 50 * time.Millisecond
	lastRedial  = 800 * time.Millisecond
)

// rest waits, and says whether there is a sense in going on.
func (c *Conn) rest(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-c.closing:
	}
	return false
}

// dialTCP is one Connect.
func (c *Conn) dialTCP(ctx context.Context, peer netip.AddrPort) (*tcpConn, error) {
	done := make(chan dialed, 1)
	err := c.driver.do(func() error {
		if c.stage >= stageShut {
			return c.closedError()
		}
		c.driver.touch(c)
		err := c.command(&abi.Command{Cmd: abi.CmdConnect, Peers: []netip.AddrPort{peer}})
		if err == nil {
			c.relay.dials[peer] = done
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	c.in.serve()
	select {
	case d := <-done:
		return d.conn, d.err
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), c.abandon(peer, done))
	}
}

// abandon: nobody waits any more. What came at the last moment is closed.
func (c *Conn) abandon(peer netip.AddrPort, done chan dialed) error {
	c.driver.mu.Lock()
	if c.relay.dials[peer] == done { // else it was answered, and another may wait by now
		delete(c.relay.dials, peer)
	}
	c.driver.mu.Unlock()
	select {
	case d := <-done:
		if d.conn != nil {
			return d.conn.Close()
		}
	default:
	}
	return nil
}
