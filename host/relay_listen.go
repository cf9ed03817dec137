package host

import (
	"errors"
	"net"
	"sync"

	"github.com/turnwasm/turnwasm/client"
)

// mostBacklog is how many connections of peers are accepted at the server and
// wait for Accept, or are on their way there. What comes beyond them is left to
// the server, which closes it after 30 s.
const mostBacklog = 64

// listener is the net.Listener of a TCP allocation.
type listener struct {
	c       *Conn
	addr    net.Addr
	ready   chan *tcpConn
	closed  chan struct{}
	closing sync.Once
}

var errListening = errors.New("the relayed address has a listener")

// ListenTCP accepts the connections that peers make to the relayed address, of
// a Conn of Config.RelayTCP. The server lets those through that have a
// permission: see CreatePermission. There can be one listener; its Close leaves
// the accepted connections and the Conn as they are, and then there can be
// another.
func (c *Conn) ListenTCP() (net.Listener, error) {
	l := &listener{
		c: c, addr: c.LocalAddr(), ready: make(chan *tcpConn, mostBacklog),
		closed: make(chan struct{}),
	}
	c.driver.mu.Lock()
	defer c.driver.mu.Unlock()
	var err error
	switch {
	case c.stage >= stageShut:
		err = c.closedError()
	case c.relay == nil:
		err = client.ErrRelay
	case c.relay.listener != nil:
		err = errListening
	default:
		c.relay.listener = l
		c.in.serve()
		return l, nil
	}
	return nil, &net.OpError{Op: "listen", Net: network, Addr: c.LocalAddr(), Err: err}
}

// roomy says whether there is room for one more. It is called under the lock.
func (l *listener) roomy() bool {
	return l != nil && len(l.c.relay.admitted)+len(l.ready) < mostBacklog
}

// take queues one that is there, under the lock. There is room: roomy has seen
// to it.
func (l *listener) take(t *tcpConn) bool {
	if isClosed(l.closed) {
		return false
	}
	l.ready <- t
	return true
}

// Accept is net.Listener's. When the Conn is closed, or its allocation lost, the
// error says so.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed: // before what still waits
	default:
		select {
		case t := <-l.ready:
			return t, nil
		case <-l.closed:
		case <-l.c.closing:
			return nil, l.error(l.c.closedError())
		}
	}
	return nil, l.error(net.ErrClosed)
}

func (l *listener) error(err error) error {
	return &net.OpError{Op: "accept", Net: network, Addr: l.addr, Err: err}
}

// Close is net.Listener's. Connections that nobody has accepted are closed.
func (l *listener) Close() error {
	err := l.error(net.ErrClosed)
	l.closing.Do(func() {
		l.c.driver.mu.Lock()
		close(l.closed)
		l.c.relay.listener = nil
		l.c.driver.mu.Unlock()
		err = nil
		for {
			select {
			case t := <-l.ready:
				l.c.aside(func() { _ = t.Close() }) // over TLS it may take its time
			default:
				return
			}
		}
	})
	return err
}

// Addr is the relayed transport address, a *net.TCPAddr.
func (l *listener) Addr() net.Addr { return l.addr }
