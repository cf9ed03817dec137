package client

import (
	"time"

	"github.com/pion/stun/v3"
)

// maxBindAnswer is the longest answer to a ConnectionBind: two texts and what
// else a challenge has are less.
const maxBindAnswer = 4096

// startBind: "Once established, the client MUST send a ConnectionBind request
// over the new connection. That request MUST include the CONNECTION-ID
// attribute". "Authentication of the client by the server MUST use the same
// method and credentials as for the control connection."
// https://www.rfc-editor.org/rfc/rfc6062#section-4.3
func (c *Client) startBind(now time.Duration, k *connection) {
	k.state, k.until = binding, 0
	c.request(transaction{purpose: forBind, signer: c.auth.signer, number: k.number}, now)
	c.pump(now)
}

// bindOf is the request under way for the connection.
func (c *Client) bindOf(k *connection) *transaction {
	for _, tx := range c.requests {
		if tx.purpose == forBind && tx.number == k.number {
			return tx
		}
	}
	return nil
}

func (c *Client) dropBind(k *connection) {
	if tx := c.bindOf(k); tx != nil {
		c.remove(tx)
	}
}

// handleConnection takes bytes of a connection's flow: of the answer to the
// ConnectionBind, and behind it payload, which is handed out as it is.
func (c *Client) handleConnection(now time.Duration, k *connection, data []byte) (took int) {
	switch {
	case len(data) == 0:
		return 0
	case k.state == bound:
		// "Data received on the associated peer data connection MUST be sent as-is
		// on this client data connection."
		// https://www.rfc-editor.org/rfc/rfc6062#section-5.4
		c.stats.ReceivedMessages++
		c.stats.ReceivedBytes += uint64(len(data))
		c.receiveOn(k.flow, k.peer, data)
		return len(data)
	case k.state != binding:
		c.stats.IgnoredFlow++
		return len(data)
	}
	if k.framing == nil {
		k.framing = new(framing)
	}
	frame, took, broken := k.framing.cut(data)
	if size, _ := frameSize(k.framing.part); max(size, len(frame)) > maxBindAnswer {
		broken = "an answer to a ConnectionBind that is too long"
	}
	switch {
	case broken != "":
		c.breakConnection(now, k, broken)
	case frame != nil:
		k.framing = nil
		c.handleBindFrame(now, k, frame)
	}
	return took
}

// handleBindFrame: nothing but the answer has any business there, "no TURN
// messaging" after it.
func (c *Client) handleBindFrame(now time.Duration, k *connection, frame []byte) {
	c.stats.ReceivedMessages++
	c.stats.ReceivedBytes += uint64(len(frame))
	if frame[0] >= 4 {
		c.breakConnection(now, k, "ChannelData on a data connection")
		return
	}
	var room [6]stun.RawAttribute
	var m message
	ok, badFingerprint := m.parse(frame, room[:])
	switch tx := c.find(m.TransactionID); {
	case badFingerprint:
		c.stats.IgnoredFingerprint++
	case !ok:
		c.stats.IgnoredMalformed++
	case m.Type.Class != stun.ClassSuccessResponse && m.Type.Class != stun.ClassErrorResponse:
		c.stats.IgnoredUnexpected++
	case tx == nil || tx.number != k.number || tx.purpose != forBind:
		c.stats.IgnoredTransaction++
	default:
		c.handleResponse(now, &m)
	}
}

// breakConnection: where the payload begins cannot be told.
func (c *Client) breakConnection(now time.Duration, k *connection, why string) {
	c.stats.IgnoredMalformed++
	c.emit(Event{Kind: StreamBroken, Flow: k.flow, Reason: why})
	c.dropBind(k)
	c.connectionFailed(k, &verdict{reason: why})
	c.pump(now)
}

// bindSucceeded: "if it is a success, the TCP connection on which it was sent is
// called the client data connection corresponding to the peer."
// https://www.rfc-editor.org/rfc/rfc6062#section-4.3
func (c *Client) bindSucceeded(tx *transaction) {
	k := c.numbered(tx.number)
	k.state, k.nonce = bound, ""
	c.rearm()
	c.tell(k, ConnectionReady, &verdict{})
}

// bindsUnsigned: servers are in the field that do not sign this one answer (A9):
// whoever wants to use them says so. One that is signed wrongly is nobody's.
func (c *Client) bindsUnsigned(tx *transaction, m *message) bool {
	return tx.purpose == forBind && c.relay().unsignedBind && !m.integrity
}

// nonceOf is the nonce under which a request is to be signed. A server may have
// another one for each connection.
func (c *Client) nonceOf(tx *transaction) string {
	if tx.purpose == forBind {
		if nonce := c.numbered(tx.number).nonce; nonce != "" {
			return nonce
		}
	}
	return c.auth.nonce
}

// renewFor takes the nonce of a 438: of a data connection's for that alone.
func (c *Client) renewFor(tx *transaction, ch challenge) {
	if tx.purpose == forBind {
		c.numbered(tx.number).nonce = string(ch.nonce)
		return
	}
	c.renew(ch)
}

// flowOf is the flow that a request goes out on.
func (c *Client) flowOf(tx *transaction) Flow {
	if tx.purpose == forBind {
		return c.numbered(tx.number).flow
	}
	return c.flow
}

// crowds: the request is one of those that are bounded for the path's sake.
// A Connect takes as long as the peer does, on a stream, and its number has a
// bound of its own.
func (tx *transaction) crowds() bool {
	return tx.purpose != forRelease && tx.purpose != forConnect && tx.purpose != forBind
}
