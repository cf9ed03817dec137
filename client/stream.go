package client

import "time"

// Transport says what the flows to the server carry.
type Transport uint8

const (
	// TransportDatagram: UDP, or DTLS over it. HandleInput takes a datagram.
	TransportDatagram Transport = 0
	// TransportStream: TCP, or TLS over it. HandleStream takes what comes, and
	// the transmits of a flow are written one behind the other.
	TransportStream Transport = 1
)

// Stream says whether the flows are streams.
func (c *Client) Stream() bool { return c.cfg.transport == TransportStream }

// HandleStream takes bytes of a stream, up to the end of the first frame, and
// answers how many: drain, then call it again with the rest. How the bytes are
// cut makes no difference. A frame that is broken ends the flow: StreamBroken.
func (c *Client) HandleStream(now time.Duration, flow Flow, data []byte) (took int) {
	now = c.at(now)
	switch {
	case c.phase == PhaseClosed:
		c.stats.IgnoredClosed++
		return len(data)
	case flow != c.flow && c.connectionOn(flow) != nil:
		return c.handleConnection(now, c.connectionOn(flow), data)
	case flow != c.flow || c.flowGone || !c.Stream():
		c.stats.IgnoredFlow++
		return len(data)
	}
	if c.framing == nil {
		c.framing = new(framing)
	}
	frame, took, broken := c.framing.cut(data)
	if len(c.framing.part) == 0 {
		c.framing = nil // a client at rest keeps no room
	}
	switch {
	case broken != "":
		c.breakStream(now, broken)
	case frame != nil:
		c.handleFrame(now, frame)
	}
	return took
}

func (c *Client) handleFrame(now time.Duration, frame []byte) {
	c.stats.ReceivedMessages++
	c.stats.ReceivedBytes += uint64(len(frame))
	if frame[0] < 4 {
		c.handleSTUN(now, frame)
		return
	}
	c.handleChannelData(now, frame)
}

// breakStream: where the next frame begins cannot be told any more.
func (c *Client) breakStream(now time.Duration, why string) {
	c.stats.IgnoredMalformed++
	c.emit(Event{Kind: StreamBroken, Flow: c.flow, Reason: why})
	c.flowLost(now)
}

// reusePause is how long the 5-tuple rests after a release (C10). The next
// stream is another one.
func (c *Client) reusePause() time.Duration {
	if c.Stream() {
		return 0
	}
	return datagramReuse
}

// violate: an answer that fails its integrity check ends a stream's transaction.
//
//	"If the request was sent over a reliable transport, the response MUST be
//	discarded, and the layer MUST immediately end the transaction and signal
//	that the integrity protection was violated."
//
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.5
//
// Over datagrams it is as if it had never been received.
func (c *Client) violate(now time.Duration, tx *transaction) {
	tx.forged = true
	c.stats.IgnoredIntegrity++
	if c.Stream() {
		c.end(now, tx, c.timedOut(now, tx))
	}
}

// sendOnce turns the retransmissions of datagrams into a stream's one send:
//
//	"if the client has not received a response by Ti seconds after it sent the
//	request message, it considers the transaction to have timed out. Ti SHOULD
//	be configurable and SHOULD have a default of 39.5 s. This value has been
//	chosen to equalize the TCP and UDP timeouts for the default initial RTO."
//
// https://www.rfc-editor.org/rfc/rfc8489#section-6.2.2
//
// So RTO, Rc and Rm configure it.
func (s *settings) sendOnce() {
	s.lastWait = s.rto * (1<<(s.rc-1) - 1 + time.Duration(s.rm))
	s.rc = 1
}
