package client

import (
	"net/netip"
	"time"
)

// received is the one payload that a call of HandleInput can bring. It has a
// place of its own so that the data path allocates nothing.
type received struct {
	peer    netip.AddrPort
	number  uint16
	waiting bool
	flow    Flow // of a data connection; 0: the control path's
	payload []byte
}

// outgoing is a datagram to the server that waits to be handed out.
type outgoing struct {
	flow Flow
	data []byte
}

// transmit queues a datagram to the server.
func (c *Client) transmit(data []byte) { c.transmitOn(c.flow, data) }

func (c *Client) transmitOn(flow Flow, data []byte) {
	c.stats.SentMessages++
	c.stats.SentBytes += uint64(len(data))
	t := outgoing{flow, data}
	if !c.hasFirst && len(c.transmits) == 0 {
		c.first, c.hasFirst = t, true
		return
	}
	c.transmits = append(c.transmits, t)
}

// PollTransmit hands out the next datagram to send.
func (c *Client) PollTransmit() (Transmit, bool) {
	var t outgoing
	switch {
	case c.hasFirst:
		t = c.first
		c.first, c.hasFirst = outgoing{}, false
	case len(c.transmits) > 0:
		t = c.transmits[0]
		if c.transmits = c.transmits[1:]; len(c.transmits) == 0 {
			c.transmits = nil
		}
	default:
		return Transmit{}, false
	}
	return Transmit{Flow: t.flow, To: c.cfg.server, Data: t.data}, true
}

// emit queues an event. It is not inlined: its callers are many, and the module
// would grow by 23 KB.
//
//go:noinline
func (c *Client) emit(e Event) {
	if c.events == nil {
		c.events = make([]Event, 0, 2) // mostly PartingChanged, and why
	}
	if c.departing {
		c.departing = false
		c.events = append(c.events, Event{Kind: PartingChanged})
	}
	c.events = append(c.events, e)
}

// emitPartingChanged is emit(PartingChanged) for what comes most often: alone,
// or once more. It takes no memory.
func (c *Client) emitPartingChanged() {
	if n := len(c.events); n == 0 || c.events[n-1].Kind != PartingChanged {
		c.departing = true
	}
}

// PollEvent hands out the next event.
func (c *Client) PollEvent() (Event, bool) {
	if len(c.events) > 0 {
		e := c.events[0]
		if c.events = c.events[1:]; len(c.events) == 0 {
			c.events = nil
		}
		return e, true
	}
	if c.departing {
		c.departing = false
		return Event{Kind: PartingChanged}, true
	}
	if r := c.received; r.waiting {
		c.received = received{}
		return Event{Kind: DataReceived, Peer: r.peer, Channel: r.number, Flow: r.flow, Data: r.payload}, true
	}
	return Event{}, false
}

// at is the machine's clock: it never goes back, and instants are never 0,
// which says "none".
func (c *Client) at(now time.Duration) time.Duration {
	c.now = max(c.now, 1, min(now, maxNow))
	return c.now
}
