package host

import (
	"errors"
	"net/netip"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// relay is what a Conn of RelayTCP has beside its control connection: data
// connections on their way, those who wait for one, and the listener. It is
// guarded by driver.mu; nil where datagrams are relayed.
type relay struct {
	c        *Conn
	links    map[client.Flow]*link
	dials    map[netip.AddrPort]chan<- dialed
	listener *listener // nil: there is none
	// admitted are the peers' connections on their way to a listener.
	admitted map[client.ConnectionID]*listener
}

// dialed is what becomes of a DialTCP.
type dialed struct {
	conn *tcpConn
	err  error
}

func newRelay(c *Conn) *relay {
	return &relay{c: c, links: map[client.Flow]*link{}, dials: map[netip.AddrPort]chan<- dialed{}, admitted: map[client.ConnectionID]*listener{}}
}

func (s *settings) relay() client.Relay {
	if s.RelayTCP {
		return client.RelayTCP
	}
	return client.RelayUDP
}

// checkRelay: "TCP allocations cannot be obtained using a UDP association between
// client and server." https://www.rfc-editor.org/rfc/rfc6062#section-4.1
func (s *settings) checkRelay() error {
	if s.RelayTCP && s.via.transport() != client.TransportStream {
		return errors.New("RelayTCP wants a URL over TCP or TLS")
	}
	return nil
}

func (r *relay) linkOf(flow client.Flow) *link {
	if r == nil {
		return nil
	}
	return r.links[flow]
}

// needs takes a FlowNeeded if it is for a data connection.
func (r *relay) needs(e *Event, flow client.Flow) bool {
	if r == nil || e.Method != methodConnectionBind {
		return false
	}
	l := &link{c: r.c, flow: flow, id: e.ConnectionID}
	r.links[flow] = l
	r.c.aside(l.run)
	return true
}

const methodConnectionBind = "ConnectionBind"

// aside runs f while the Runtime waits for it.
func (c *Conn) aside(f func()) {
	c.rt.running.Add(1)
	go func() {
		defer c.rt.running.Done()
		f()
	}()
}

// happened takes what the machine says of a connection.
func (r *relay) happened(e *Event, flow client.Flow) {
	if r == nil {
		return
	}
	l := r.links[flow]
	switch e.Kind {
	case client.ConnectionAttempted:
		if _, again := r.admitted[e.ConnectionID]; !again && r.listener.roomy() {
			r.admitted[e.ConnectionID] = r.listener
			r.c.aside(func() { r.c.accept(e.ConnectionID) })
		}
	case client.ConnectionReady:
		if l != nil {
			l.become(linkReady, e.Peer)
		}
	case client.ConnectionFailed:
		r.failed(e, l != nil)
		if l != nil {
			l.cut(e.request(r.c.server))
		}
	case client.ConnectionLost:
		if l != nil {
			l.cut(&lostError{e.request(r.c.server)})
		}
	}
}

// failed answers whoever waits for the connection: nobody does for a peer's.
func (r *relay) failed(e *Event, linked bool) {
	if _, incoming := r.admitted[e.ConnectionID]; incoming || e.Method == methodConnectionBind && !linked {
		delete(r.admitted, e.ConnectionID)
		return
	}
	if done := r.dials[e.Peer]; done != nil {
		delete(r.dials, e.Peer)
		done <- dialed{err: e.request(r.c.server)}
	}
}

// accept has the machine take a peer's connection.
func (c *Conn) accept(id client.ConnectionID) {
	_ = c.driver.do(func() error {
		if c.stage >= stageShut {
			return nil
		}
		c.driver.touch(c)
		err := c.command(&abi.Command{Cmd: abi.CmdAcceptConnection, Connection: id})
		if err != nil {
			delete(c.relay.admitted, id)
		}
		return nil
	})
}

// end is the Conn's end: what the machine did not tell of ends, too.
func (r *relay) end() {
	if r == nil {
		return
	}
	for _, l := range r.links {
		l.cut(r.c.closedError())
	}
	for peer, done := range r.dials {
		delete(r.dials, peer)
		done <- dialed{err: r.c.closedError()}
	}
}
