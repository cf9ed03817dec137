package host

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// link is a data connection: from the machine's wish for a flow until the
// tcpConn that it becomes is closed. Its fields are guarded by driver.mu, but
// for what does not change once there is a tcpConn.
type link struct {
	c    *Conn
	flow client.Flow
	id   client.ConnectionID
	peer netip.AddrPort

	state linkState
	conn  net.Conn     // to the server
	raw   *net.TCPConn // beneath it
	out   []byte       // the machine's, to be written
	early []byte       // payload that came with the answer
	why   error        // of linkCut
	owner *tcpConn     // nil while it is on its way

	traced streamTrace // of run alone
}

type linkState uint8

const (
	linkOpening linkState = iota
	linkReady             // the server has bound it
	linkCut               // it is over
)

// bindRoom is what one read takes while the server's answer is waited for.
const bindRoom = 4096

func (l *link) become(s linkState, peer netip.AddrPort) { l.state, l.peer = s, peer }

// cut ends it from under the lock.
func (l *link) cut(why error) {
	if l.state == linkCut {
		return
	}
	l.state, l.why = linkCut, why
	delete(l.c.relay.links, l.flow)
	if l.owner != nil {
		l.owner.lost.Store(&why)
	} else {
		l.c.relay.forsake(l, why)
	}
	if l.raw != nil {
		_ = l.raw.Close()
	}
}

// forsake tells whoever waits for a link that there will be none.
func (r *relay) forsake(l *link, why error) {
	delete(r.admitted, l.id)
	if done := r.dials[l.peer]; done != nil {
		delete(r.dials, l.peer)
		done <- dialed{err: why}
	}
}

// send leaves what the machine has made to whoever runs the link, and has him
// look.
func (l *link) send(data []byte) {
	l.out = append(l.out, data...)
	if l.raw != nil {
		_ = l.raw.SetReadDeadline(longAgo)
	}
}

// run opens the connection, binds it, and hands it over.
func (l *link) run() {
	if err := l.open(); err != nil {
		l.c.tellFlow(l.flow, abi.FlowClosed)
		return
	}
	l.c.tellFlow(l.flow, abi.FlowOpened)
	room := make([]byte, bindRoom)
	for {
		out, state := l.next()
		switch state {
		case linkCut:
			_ = l.conn.Close()
			return
		case linkReady:
			l.handOver()
			return
		}
		if err := l.exchange(out, room); err != nil {
			_ = l.conn.Close()
			l.c.tellFlow(l.flow, abi.FlowClosed)
			return
		}
	}
}

// open: "This connection MUST be made using a different local transport address."
// https://www.rfc-editor.org/rfc/rfc6062#section-4.3
func (l *link) open() error {
	c := l.c
	ctx, cancel := context.WithTimeout(context.Background(), mostDial)
	defer cancel()
	go func() {
		select {
		case <-c.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	conn, raw, err := dialStream(ctx, netip.AddrPortFrom(c.settings.local.Addr(), 0), c.server, &c.settings)
	if err != nil {
		return err
	}
	c.driver.mu.Lock()
	defer c.driver.mu.Unlock()
	if l.state == linkCut {
		_ = raw.Close()
		return l.why
	}
	l.conn, l.raw = conn, raw
	return nil
}

// next takes what is to be written.
func (l *link) next() (out []byte, s linkState) {
	l.c.driver.mu.Lock()
	defer l.c.driver.mu.Unlock()
	out, l.out = l.out, nil
	if l.state != linkCut {
		_ = l.raw.SetReadDeadline(time.Time{})
	}
	return out, l.state
}

// exchange writes, and hands in what comes.
func (l *link) exchange(out, room []byte) error {
	trace, local := l.c.settings.Trace, addrPortOf(l.raw.LocalAddr())
	if len(out) > 0 {
		if trace != nil {
			trace.sentOn(&l.traced, time.Now(), local, l.c.server, out)
		}
		if _, err := l.conn.Write(out); err != nil {
			return err
		}
	}
	n, err := l.conn.Read(room)
	if n > 0 {
		if trace != nil {
			trace.receivedOn(&l.traced, time.Now(), l.c.server, local, room[:n])
		}
		l.c.feed(l.flow, room[:n])
		return nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil // there is something to write
	}
	return err
}

// feed hands bytes of a data connection to the machine.
func (c *Conn) feed(flow client.Flow, data []byte) {
	s := c.driver.in.take()
	if s == nil {
		return
	}
	s.parts = append(s.parts[:0], part{s.at, uint32(copy(s.data, data)), 0})
	settle(c.received(flow, s))
	c.driver.in.give(s)
}

// handOver gives it to whoever waits for it; nobody does when he has given up.
func (l *link) handOver() {
	c := l.c
	t := &tcpConn{link: l, conn: l.conn, early: l.early, local: c.LocalAddr(), peer: net.TCPAddrFromAddrPort(l.peer)}
	c.driver.mu.Lock()
	taken := false
	if l.state == linkReady {
		l.owner, l.early = t, nil
		taken = c.relay.take(t)
	}
	c.driver.mu.Unlock()
	if !taken {
		_ = t.Close()
	}
}

// take hands a connection to its listener or dialler.
func (r *relay) take(t *tcpConn) bool {
	if l, incoming := r.admitted[t.link.id]; incoming {
		delete(r.admitted, t.link.id)
		return l.take(t)
	}
	done := r.dials[t.link.peer]
	if done == nil {
		return false
	}
	delete(r.dials, t.link.peer)
	done <- dialed{conn: t}
	return true
}
