package bridge

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// connection is a QUIC connection whose handshake is done: one session's.
type connection struct {
	quic *quic.Conn
	who  netip.Prefix
	used atomic.Bool // a session was asked for
}

type connectionKey struct{}

func (b *Bridge) connectionOf(qc *quic.Conn) *connection {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.known[qc]
}

// serveConnection takes a connection in, or closes it.
func (b *Bridge) serveConnection(qc *quic.Conn) {
	c := &connection{quic: qc, who: household(qc.RemoteAddr())}
	if code := b.connections.take(c.who); code != 0 {
		b.meters.refuse("connections")
		c.close(http3.ErrCodeExcessiveLoad, "too many connections")
		return
	}
	b.mu.Lock()
	b.known[qc] = c
	b.mu.Unlock()
	b.meters.connections.Inc()
	b.running.Go(func() { b.runConnection(c) })
}

// runConnection returns when the connection is over and its session's socket
// is closed: ServeQUICConn waits for the handler.
func (b *Bridge) runConnection(c *connection) {
	impatient := time.AfterFunc(b.limits.Start, func() {
		if !c.used.Load() {
			b.meters.refuse("no_session")
			c.close(http3.ErrCodeNoError, "no session was asked for")
		}
	})
	_ = b.wt.ServeQUICConn(c.quic)
	impatient.Stop()
	c.close(http3.ErrCodeNoError, "") // where it was not served at all
	b.mu.Lock()
	delete(b.known, c.quic)
	b.mu.Unlock()
	b.meters.connections.Dec()
	b.connections.give(c.who)
}

func (c *connection) close(code http3.ErrCode, reason string) {
	_ = c.quic.CloseWithError(quic.ApplicationErrorCode(code), reason)
}

// farewell is how long the page has to read why its session ended.
const farewell = time.Second

// leave closes the connection once the page has done so or had its time. It
// says again why, for clients that read no capsule (Deno); to HTTP/3 a code that
// it does not know is no error.
func (c *connection) leave(end *ending) {
	code := http3.ErrCodeNoError
	if end.code != 0 {
		code = http3.ErrCode(end.code)
	}
	t := time.AfterFunc(farewell, func() { c.close(code, end.reason) })
	<-c.quic.Context().Done()
	t.Stop()
}
