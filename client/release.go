package client

import (
	"time"

	"github.com/pion/stun/v3"
)

// startRelease begins the release: a Refresh with "a LIFETIME attribute with a
// value of zero". https://www.rfc-editor.org/rfc/rfc8656#section-8.1
//
// It is unsigned where nothing was ever signed; a challenge then signs it.
func (c *Client) startRelease(now time.Duration) {
	if c.flowGone {
		return
	}
	c.forgoRequests(forAllocate, forRefresh, forProbe, forMove, forReclaim)
	if c.closing != nil {
		c.closing.sent, c.closing.waitUntil = true, 0
	}
	c.request(transaction{purpose: forRelease, signer: c.releaseSigner(), ticketed: len(c.ticket()) > 0}, now)
	c.pump(now)
}

func (c *Client) releaseSigner() *credential {
	if c.lease.signed {
		return c.auth.signer
	}
	return nil
}

// restartRelease: the server made or kept something after the last release
// was sent, so that one's answer proves nothing.
func (c *Client) restartRelease(now time.Duration) {
	c.dropRequests(forRelease)
	c.startRelease(now)
}

// releaseRevived releases what a Refresh has kept, unless another one is waited
// for that may do so yet (C6).
func (c *Client) releaseRevived(now time.Duration) {
	if c.closing.waitUntil == 0 || c.inFlight(forRefresh, forProbe, forMove) == nil {
		c.restartRelease(now)
	}
}

// releaseBlindly sends one Refresh(LIFETIME=0) and waits for nothing.
func (c *Client) releaseBlindly(now time.Duration) {
	if c.flowGone {
		return
	}
	id, ok := c.newID(now)
	if !ok {
		return
	}
	c.reusableAt = now + c.reusePause()
	c.transmit(c.releaseMessage(make([]byte, 0, c.releaseSize()), id))
}

// forgoRequests gives requests up; what they may still bring about is
// remembered.
func (c *Client) forgoRequests(purposes ...purpose) {
	for tx := c.inFlight(purposes...); tx != nil; tx = c.inFlight(purposes...) {
		c.forgo(tx)
		c.remove(tx)
	}
}

// releaseSucceeded: LIFETIME 0, or none, is the server's word that it is gone.
// Anything else is asked for once more.
func (c *Client) releaseSucceeded(now time.Duration, tx *transaction, m *message) {
	var left lifetime
	if left.GetFrom(&m.Message) == nil && left != 0 {
		c.grant(tx, time.Duration(left))
		c.releaseKept(now)
		return
	}
	c.settle()
	c.finishRelease(now, Released, "")
}

func (c *Client) releaseKept(now time.Duration) {
	if c.closing == nil {
		return
	}
	if c.closing.kept {
		c.finishRelease(now, Unconfirmed, "the server answered the release with a LIFETIME that is not 0")
		return
	}
	c.closing.kept = true
	c.startRelease(now)
}

// releaseFailed: "If the client receives a 437 (Allocation Mismatch) error
// response to a request to delete the allocation, then the allocation no longer
// exists and it should consider its request as having effectively succeeded."
// https://www.rfc-editor.org/rfc/rfc8656#section-8.3
//
// Who did not sign the 437 need not be the server. And where the address has
// changed, one without a ticket says nothing of what is on the old address.
func (c *Client) releaseFailed(now time.Duration, tx *transaction, v verdict) {
	if tx.refusesTicket(v) {
		c.releaseWithoutTicket(now)
		return
	}
	mismatch := v.code == int(stun.CodeAllocMismatch) && (tx.ticketed || !c.adrift())
	if mismatch && (v.signed || tx.signer == nil && c.auth.signer == nil) {
		c.settle()
		c.finishRelease(now, Released, "")
		return
	}
	c.finishRelease(now, Unconfirmed, v.releaseReason())
}

func (v verdict) releaseReason() string {
	switch v.code {
	case int(stun.CodeUnauthorized):
		return "credentials"
	case int(stun.CodeWrongCredentials):
		return "wrong user"
	}
	return v.text()
}

// finishRelease: a release outside of a close, after a failed Allocate or a
// lost allocation, tells nobody.
func (c *Client) finishRelease(now time.Duration, o Outcome, reason string) {
	if c.phase == PhaseClosing {
		c.closed(now, o, reason)
	}
}
