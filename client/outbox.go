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
	payload []byte
}

// transmit queues a datagram to the server.
func (c *Client) transmit(data []byte) {
	c.stats.SentMessages++
	c.stats.SentBytes += uint64(len(data))
	t := Transmit{Flow: c.flow, To: c.cfg.server, Data: data}
	if !c.hasFirst && len(c.transmits) == 0 {
		c.first, c.hasFirst = t, true
		return
	}
	c.transmits = append(c.transmits, t)
}

// PollTransmit hands out the next datagram to send.
func (c *Client) PollTransmit() (Transmit, bool) {
	if c.hasFirst {
		t := c.first
		c.first, c.hasFirst = Transmit{}, false
		return t, true
	}
	if len(c.transmits) == 0 {
		return Transmit{}, false
	}
	t := c.transmits[0]
	if c.transmits = c.transmits[1:]; len(c.transmits) == 0 {
		c.transmits = nil
	}
	return t, true
}

func (c *Client) emit(e Event) { c.events = append(c.events, e) }

// PollEvent hands out the next event.
func (c *Client) PollEvent() (Event, bool) {
	if len(c.events) > 0 {
		e := c.events[0]
		if c.events = c.events[1:]; len(c.events) == 0 {
			c.events = nil
		}
		return e, true
	}
	if r := c.received; r.waiting {
		c.received = received{}
		return Event{Kind: DataReceived, Peer: r.peer, Channel: r.number, Data: r.payload}, true
	}
	return Event{}, false
}

// at is the machine's clock: it never goes back, and instants are never 0,
// which says "none".
func (c *Client) at(now time.Duration) time.Duration {
	c.now = max(c.now, 1, min(now, maxNow))
	return c.now
}
