package client

import (
	"bytes"
	"time"

	"github.com/pion/stun/v3"
)

const (
	attrMobilityTicket    stun.AttrType  = 0x8030 // MOBILITY-TICKET
	codeMobilityForbidden stun.ErrorCode = 405
)

// mobility is what exists while the server lets the allocation move (RFC 8016),
// or while it is being moved.
type mobility struct {
	ticket []byte // the newest; empty: none, or it is spent
	// old is the flow that the allocation was on before the move under way.
	old     Flow
	oldGone bool
	nonce   string // the server's, there
	moving  bool   // from Rebind to the server's answer
	// adrift: the present flow is not the one that the allocation is known on,
	// so that nothing but the ticket finds it.
	adrift bool
}

// moving: no data is sent, and no request but the move's. "it is RECOMMENDED
// that the client avoid transmitting a Send indication or ChannelData message
// until it has received an acknowledgement for the Refresh request with the
// STUN MOBILITY-TICKET attribute."
// https://www.rfc-editor.org/rfc/rfc8016#section-3.2.2
func (c *Client) moving() bool { return c.mobile != nil && c.mobile.moving }

// serving: there is an allocation, and it is where we are.
func (c *Client) serving() bool { return c.phase == PhaseAllocated && !c.moving() }

// adrift says whether the allocation is on another flow than the present one,
// as far as is known.
func (c *Client) adrift() bool { return c.mobile != nil && c.mobile.adrift }

// ticket is what a Refresh on the present flow must show; nil where the
// address has not changed: "If there has been no IP address or source port
// number change, the client MUST NOT include a MOBILITY-TICKET attribute".
// https://www.rfc-editor.org/rfc/rfc8016#section-3.2.1
func (c *Client) ticket() []byte {
	if !c.adrift() {
		return nil
	}
	return c.mobile.ticket
}

// asksTicket: "the client includes the MOBILITY-TICKET attribute with a length
// of zero." https://www.rfc-editor.org/rfc/rfc8016#section-3.1.1
func (c *Client) asksTicket() bool { return c.cfg.mobility && !c.immobile }

// storeTicket: "the client will store the MOBILITY-TICKET attribute, if
// present, from the response." https://www.rfc-editor.org/rfc/rfc8016#section-3.1.3
//
// Without authentication there is none: "If (D)TLS is not used or the (D)TLS
// handshake fails, and authentication also fails, then the TURN client and
// server MUST fail and not proceed with TURN mobility."
// https://www.rfc-editor.org/rfc/rfc8016#section-5
func (c *Client) storeTicket(signer *credential, m *message) {
	attr, _ := m.Attributes.Get(attrMobilityTicket)
	if !c.cfg.mobility || signer == nil || len(attr.Value) == 0 || len(attr.Value) > maxTicket {
		return
	}
	if c.mobile == nil {
		c.mobile = new(mobility)
	}
	c.mobile.ticket = bytes.Clone(attr.Value)
}

// forbidsMobility: "The client SHOULD NOT retry sending the Allocate request
// containing the MOBILITY-TICKET with this server".
// https://www.rfc-editor.org/rfc/rfc8016#section-3.1.4
//
// It goes out once more without it, signed as it was.
func (c *Client) forbidsMobility(now time.Duration, tx *transaction, v verdict) bool {
	if v.code != int(codeMobilityForbidden) || !c.asksTicket() || c.phase >= PhaseClosing {
		return false
	}
	c.immobile = true
	c.emit(v.eventOf(MobilityRefused, stun.MethodAllocate))
	signer := tx.signer
	if signer != nil {
		signer = c.auth.signer
	}
	c.lease.older = c.mayLive(now)
	c.request(transaction{purpose: forAllocate, signer: signer, failures: tx.failures}, now)
	c.pump(now)
	return true
}

func (v verdict) eventOf(kind EventKind, method stun.Method) Event {
	e := v.event(kind)
	e.Method = method
	return e
}

// refusesTicket: "If the ticket is invalid, then the server MUST reject the
// request with a 400 (Bad Request) error", and so it does where the allocation
// is on this 5-tuple already. https://www.rfc-editor.org/rfc/rfc8016#section-3.2.2
func (tx *transaction) refusesTicket(v verdict) bool {
	return tx.purpose == forRelease && tx.ticketed && v.code == int(stun.CodeBadRequest)
}

// releaseWithoutTicket: a copy of the move may have been obeyed.
func (c *Client) releaseWithoutTicket(now time.Duration) {
	if c.mobile != nil {
		c.mobile.ticket = nil
	}
	c.restartRelease(now)
}
