package client

import (
	"time"

	"github.com/pion/stun/v3"
)

// Reclaim releases what an earlier run of ours left on this port (437), where
// the caller declares the port its own: Refresh(0), a pause, the Allocate
// again, once. Whoever allocated must be the same user; else it is another port.

func (c *Client) startReclaim(now time.Duration) {
	c.reclaimed = true
	c.lease.older = c.lease.signed && c.mayLive(now) // a copy of our own may have been obeyed
	c.lease.until = now + max(assumedLifetime, c.cfg.lifetime)
	c.lease.signed = c.auth.signer != nil
	c.become(PhaseAllocating)
	c.requestReclaim(now)
}

// restartReclaim: what the server made after it had answered 437 may be there
// after the Refresh(0) that is in flight.
func (c *Client) restartReclaim(now time.Duration) {
	c.dropRequests(forReclaim)
	c.requestReclaim(now)
}

func (c *Client) requestReclaim(now time.Duration) {
	c.request(transaction{purpose: forReclaim, signer: c.auth.signer}, now)
	c.pump(now)
}

func (c *Client) reclaimSucceeded(now time.Duration) {
	c.settle()
	c.emit(Event{Kind: Reclaimed, ReuseAfter: c.reusePause()})
	c.reusableAt = now + c.reusePause()
	c.startAllocate(now)
}

// reclaimFailed: a signed 437 says that the port is free by now; anything else
// that it is not ours.
func (c *Client) reclaimFailed(now time.Duration, tx *transaction, v verdict) {
	if v.code == int(stun.CodeAllocMismatch) && v.signed {
		c.reclaimSucceeded(now)
		return
	}
	if !c.lease.older {
		c.settle()
	}
	c.mismatched(now, verdict{code: int(stun.CodeAllocMismatch), reason: "the port is in use and could not be reclaimed: " + v.text()})
}
