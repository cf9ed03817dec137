package client

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// Connect has the server connect to the peer from the relayed address of a TCP
// allocation. ConnectionReady tells of the flow that carries it, or
// ConnectionFailed why there is none; before it comes FlowNeeded. It needs no
// permission.
//
//	"Connect requests with the same XOR-PEER-ADDRESS parameter MUST NOT be sent
//	simultaneously." https://www.rfc-editor.org/rfc/rfc6062#section-4.3
//
// Nor would there be a second one to that peer: ErrConnected. After a server's
// "Connection Timeout or Failure" it waits until 10 s have passed.
func (c *Client) Connect(now time.Duration, peer netip.AddrPort) error {
	now = c.at(now)
	peer = unmap(peer)
	if err := c.relays(); err != nil {
		return err
	}
	if err := c.checkConnectPeer(peer); err != nil {
		return err
	}
	at := now
	switch k := c.connectionTo(peer); {
	case k != nil && k.state != resting:
		return ErrConnected
	case k != nil:
		at = max(now, k.until)
		c.dropConnection(k)
	case !c.roomForConnection(false):
		return ErrLimit
	}
	k := &connection{peer: peer}
	c.addConnection(k)
	c.request(transaction{purpose: forConnect, signer: c.auth.signer, number: k.number}, at)
	c.pump(now)
	return nil
}

// relays says whether there is a TCP allocation.
func (c *Client) relays() error {
	switch {
	case c.phase >= PhaseClosing:
		return ErrClosed
	case c.relay() == nil:
		return ErrRelay
	case c.phase != PhaseAllocated:
		return ErrPhase
	}
	return nil
}

// connectSucceeded: "If the connection is successfully established, the client
// will receive a success response. That response will contain a CONNECTION-ID
// attribute." https://www.rfc-editor.org/rfc/rfc6062#section-4.3
func (c *Client) connectSucceeded(now time.Duration, tx *transaction, m *message) {
	k := c.numbered(tx.number)
	id, ok := getConnectionID(m)
	signed := tx.signer != nil
	switch {
	case !ok:
		c.connectionFailed(k, &verdict{reason: "unusable success response: no CONNECTION-ID", signed: signed})
	case c.connectionBy(id) != nil:
		c.connectionFailed(k, &verdict{reason: "unusable success response: a CONNECTION-ID that is in use", signed: signed})
	default:
		k.id = id
		c.askForFlow(now, k)
	}
}

// connectFailed: "if the response code was 447 (Connection Timeout or Failure),
// it means that the TURN server was unable to connect to the peer."
// https://www.rfc-editor.org/rfc/rfc6062#section-4.3
func (c *Client) connectFailed(now time.Duration, tx *transaction, v verdict) {
	k := c.numbered(tx.number)
	if v.code == int(stun.CodeAllocMismatch) {
		c.lose(now, lossOf{method: stun.MethodConnect, verdict: v})
		return
	}
	c.noteExpiredCredentials(v, stun.MethodConnect)
	c.connectionFailed(k, &v)
	if v.code == int(stun.CodeConnTimeoutOrFailure) {
		c.addConnection(&connection{peer: k.peer, state: resting, until: now + connectPause})
	}
}

// AcceptConnection takes a peer's connection that ConnectionAttempted has told
// of. FlowNeeded follows, then ConnectionReady or ConnectionFailed. To refuse
// one is to leave it: the server closes it after 30 s.
func (c *Client) AcceptConnection(now time.Duration, id ConnectionID) error {
	now = c.at(now)
	if err := c.relays(); err != nil {
		return err
	}
	k := c.connectionBy(id)
	if k == nil || k.state != attempted || k.until <= now {
		return ErrNoConnection
	}
	c.askForFlow(now, k)
	return nil
}

// handleAttempt takes a ConnectionAttempt: "This indication will contain
// CONNECTION-ID and XOR-PEER-ADDRESS attributes."
// https://www.rfc-editor.org/rfc/rfc6062#section-4.4
//
// It is for a peer "for which a permission has been installed": others are
// dropped, as their data would be.
func (c *Client) handleAttempt(now time.Duration, m *message) {
	peer, hasPeer := getXorAddress(&m.Message, stun.AttrXORPeerAddress)
	id, hasID := getConnectionID(m)
	switch {
	case c.phase != PhaseAllocated:
		c.stats.IgnoredUnexpected++
	case !hasPeer || !hasID || peer.Port() == 0:
		c.stats.IgnoredMalformed++
	case !c.permission(peer.Addr()).has(now):
		c.stats.IgnoredPeer++
	case c.connectionBy(id) != nil || !c.roomForConnection(true):
		c.stats.IgnoredUnexpected++
	default:
		k := &connection{peer: peer, id: id, state: attempted, incoming: true, until: now + connectionPatience}
		c.addConnection(k)
		c.tell(k, ConnectionAttempted, &verdict{})
	}
}
