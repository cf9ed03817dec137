package client

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// connectionState is how far a connection with a peer is.
type connectionState uint8

const (
	connecting connectionState = iota // the Connect waits for its answer
	resting                           // it failed (447): not again before its time
	attempted                         // a peer's, not accepted yet
	opening                           // its flow was asked for
	binding                           // the ConnectionBind waits for its answer
	bound                             // the flow is the caller's
)

// connection is one with a peer, from the Connect or the peer's attempt to the
// end of its flow.
type connection struct {
	peer     netip.AddrPort
	until    time.Duration // of resting, attempted and opening; 0: its request has a deadline
	number   uint16        // its transaction's
	id       ConnectionID  // from opening or attempted on
	flow     Flow          // from opening on
	state    connectionState
	incoming bool
	nonce    string   // the server's, on this flow; empty: as on the control connection
	framing  *framing // in binding: a part of the answer has come
}

// What looks for a connection is not inlined: its callers are many, and the module
// would grow by 7 KB.

// connectionOn is the one that has the flow.
//
//go:noinline
func (c *Client) connectionOn(flow Flow) *connection {
	if c.relay() == nil || flow == 0 {
		return nil
	}
	for _, k := range c.relay().connections {
		if k.flow == flow {
			return k
		}
	}
	return nil
}

// connectionBy is the one that has the ID; a Connect and a rest have none.
//
//go:noinline
func (c *Client) connectionBy(id ConnectionID) *connection {
	for _, k := range c.relay().connections {
		if k.id == id && k.state > resting {
			return k
		}
	}
	return nil
}

// connectionTo is the one that we have asked for, to the peer.
//
//go:noinline
func (c *Client) connectionTo(peer netip.AddrPort) *connection {
	for _, k := range c.relay().connections {
		if k.peer == peer && !k.incoming {
			return k
		}
	}
	return nil
}

// roomForConnection: so many may wait of either kind, and so many be bound.
func (c *Client) roomForConnection(incoming bool) bool {
	pending := 0
	for _, k := range c.relay().connections {
		if k.incoming == incoming && k.state != bound {
			pending++
		}
	}
	return pending < maxPending && len(c.relay().connections) < maxConnections
}

//go:noinline
func (c *Client) addConnection(k *connection) {
	r := c.relay()
	for r.last++; c.numbered(r.last) != nil; r.last++ {
	}
	k.number = r.last
	r.connections = append(r.connections, k)
	c.rearm()
}

// numbered is the connection that a transaction's number names.
//
//go:noinline
func (c *Client) numbered(number uint16) *connection {
	for _, k := range c.relay().connections {
		if k.number == number {
			return k
		}
	}
	return nil
}

//go:noinline
func (c *Client) dropConnection(k *connection) {
	r := c.relay()
	kept := r.connections[:0]
	for _, other := range r.connections {
		if other != k {
			kept = append(kept, other)
		}
	}
	clear(r.connections[len(kept):])
	if r.connections = kept; len(kept) == 0 {
		r.connections = nil
	}
	c.rearm()
}

// tell emits an event that names the connection.
//
//go:noinline
func (c *Client) tell(k *connection, kind EventKind, v *verdict) {
	e := Event{
		Kind: kind, Peer: k.peer, ConnectionID: k.id, Flow: k.flow, Until: k.until,
		Code: v.code, Reason: v.reason, Signed: v.signed,
	}
	switch kind {
	case FlowNeeded:
		e.Peer, e.Method = c.cfg.server, stun.MethodConnectionBind
	case ConnectionFailed:
		e.Method, e.Until = k.method(), 0
		if v.code == int(stun.CodeConnTimeoutOrFailure) {
			e.RetryAfter = connectPause
		}
	}
	c.emit(e)
}

// connectionFailed ends one that was not bound.
func (c *Client) connectionFailed(k *connection, v *verdict) {
	c.dropConnection(k)
	c.tell(k, ConnectionFailed, v)
}

// askForFlow: "The client MUST initiate a new TCP connection to the server,
// utilizing the same destination transport address to which the control
// connection was established."
// https://www.rfc-editor.org/rfc/rfc6062#section-4.3
func (c *Client) askForFlow(now time.Duration, k *connection) {
	k.state, k.flow = opening, c.nextFlow
	if !k.incoming { // of a peer's the time is running
		k.until = now + connectionPatience
	}
	c.nextFlow++
	c.rearm()
	c.tell(k, FlowNeeded, &verdict{})
}

// endConnections: "If the allocation associated with a data connection expires,
// the data connection MUST be closed."
// https://www.rfc-editor.org/rfc/rfc6062#section-5.5
func (c *Client) endConnections(reason string) {
	c.dropRequests(forConnect, forBind)
	if c.relay() == nil {
		return
	}
	all := c.relay().connections
	c.relay().connections = nil
	for _, k := range all {
		switch k.state {
		case resting: // its end was told
		case bound:
			c.tell(k, ConnectionLost, &verdict{reason: reason})
		default:
			c.tell(k, ConnectionFailed, &verdict{reason: reason})
		}
	}
	c.rearm()
}

// method is the request that it waits for.
func (k *connection) method() stun.Method {
	if k.state == connecting {
		return stun.MethodConnect
	}
	return stun.MethodConnectionBind
}

// wakeOfConnections is their earliest deadline.
func (c *Client) wakeOfConnections(w *wake) {
	if c.relay() == nil {
		return
	}
	for _, k := range c.relay().connections {
		w.sooner(wake{at: k.until, kind: wakeConnection})
	}
}

// tickConnections ends what the server does not keep any longer, and rests.
func (c *Client) tickConnections(now time.Duration) {
	if c.relay() == nil {
		return
	}
	for _, k := range append([]*connection(nil), c.relay().connections...) {
		switch {
		case k.until == 0 || k.until > now:
		case k.state == resting:
			c.dropConnection(k)
		case k.state == attempted:
			c.connectionFailed(k, &verdict{reason: "nobody accepted it in 30 s"})
		default:
			c.connectionFailed(k, &verdict{reason: "its flow was not opened in 30 s"})
		}
	}
}

// connectionFlow takes what the caller says of a flow; false: it is none of a
// connection's.
func (c *Client) connectionFlow(now time.Duration, flow Flow, opened bool) bool {
	k := c.connectionOn(flow)
	switch {
	case k == nil || opened && k.state != opening:
		return false
	case opened:
		c.startBind(now, k)
	case k.state == bound:
		c.dropConnection(k)
	default:
		c.dropBind(k)
		c.connectionFailed(k, &verdict{reason: "the flow of the data connection was closed"})
	}
	return true
}
