package host

import (
	"net/netip"
)

// Message is one payload, or a run of equal ones packed back to back, for
// ReadBatch and WriteBatch.
type Message struct {
	// Buffer is the payload to write, or the run of them, whole. For ReadBatch
	// it is room, of which Buffer[:N] is filled. A single payload that does not
	// fit loses its end, as with ReadFrom; of a run those are taken that fit.
	Buffer []byte
	// N is how many bytes ReadBatch has filled in. WriteBatch ignores it.
	N int
	// Peer is whom it goes to or came from.
	Peer netip.AddrPort
	// Segment > 0 says that the bytes are payloads of so many bytes each, the
	// last may be shorter, as UDP_SEGMENT and UDP_GRO mean it. On its way into
	// ReadBatch any number > 0 says that a run is welcome, and 0 that one
	// payload is wanted; then ReadBatch leaves 0. An empty payload is N = 0.
	Segment int
}

// take copies payloads of the arrival in, from number from on: one, or, where a
// run is welcome, all that fit. It answers how many, at least one.
func (m *Message) take(a *arrival, from int) int {
	m.Peer = a.peer
	if m.Segment == 0 {
		m.N = copy(m.Buffer, a.payload(from))
		return 1
	}
	m.N, m.Segment = 0, max(1, a.length)
	n := 0
	for from+n < a.count && (n == 0 || a.length > 0 && m.N+a.length <= len(m.Buffer)) {
		m.N += copy(m.Buffer[m.N:], a.payload(from+n))
		n++
	}
	return n
}

// join adds payload number from of the arrival if it goes on with the run that
// is in the Message: of the same peer, not longer than the others, nor behind
// a shorter one.
func (m *Message) join(a *arrival, from int) bool {
	if m.Segment == 0 || m.Peer != a.peer || a.length == 0 || a.length > m.Segment ||
		m.N%m.Segment != 0 || m.N == 0 || m.N+a.length > len(m.Buffer) {
		return false
	}
	m.N += copy(m.Buffer[m.N:], a.payload(from))
	return true
}

// ReadBatch waits for at least one payload and takes what is there, as far as
// it fits into the Messages. It answers how many of them it has filled. What
// one Message has no room for is in the next one or comes with the next call.
func (c *Conn) ReadBatch(ms []Message) (n int, err error) {
	if len(ms) == 0 {
		return 0, nil
	}
	r := &c.in
	r.mu.Lock()
	for {
		lead, err := c.awaitRead()
		if err != nil {
			r.mu.Unlock()
			return 0, c.opError("read", netip.AddrPort{}, err)
		}
		if !lead {
			n := r.inbox.fill(ms)
			r.passOn()
			r.mu.Unlock()
			return n, nil
		}
		if n, _ := c.lead(ms); n > 0 {
			return n, nil
		}
		r.mu.Lock()
	}
}

// WriteBatch sends the Messages, in their order and behind what was written
// before. It answers how many were handed to the kernel, from the first one on;
// with an error the next one has failed, and of a run some payloads may have
// gone out. Those behind it may have been sent.
func (c *Conn) WriteBatch(ms []Message) (n int, err error) {
	if len(ms) == 0 {
		return 0, nil
	}
	if err := c.usable(&c.writeDeadline); err != nil {
		return 0, c.opError("write", netip.AddrPort{}, err)
	}
	c.out.turn.Lock()
	err = c.writes.pastError()
	if err == nil {
		c.writes.sendQueued()
		n, err = c.ship(ms, c.driver.clock.now())
	}
	c.endTurn()
	if err == nil {
		return n, nil
	}
	return n, c.opError("write", ms[min(n, len(ms)-1)].Peer, err)
}
