package client

import (
	"time"
)

// closing is what exists in PhaseClosing alone.
type closing struct {
	until     time.Duration // the linger's end
	waitUntil time.Duration // a Refresh in flight is waited for so long (C6); 0 = none
	sent      bool          // a release was sent
	kept      bool          // the server answered one with a LIFETIME that is not 0
}

// Close releases the allocation; see the package comment.
//
// "If a client no longer wishes to use an allocation, then it SHOULD explicitly
// delete the allocation." https://www.rfc-editor.org/rfc/rfc8656#section-8
func (c *Client) Close(now, linger time.Duration) {
	now = c.at(now)
	linger = max(0, min(linger, maxLifetime))
	switch {
	case c.phase == PhaseClosed:
	case c.phase == PhaseClosing:
		c.hasten(now, linger)
	case !c.mayLive(now):
		c.closed(now, NothingToRelease, "")
	case c.flowGone:
		c.closed(now, Abandoned, "the flow to the server was closed")
	case linger == 0:
		c.closeAtOnce(now)
	default:
		c.closeLingering(now, linger)
	}
}

// hasten: a second Close may shorten the linger.
func (c *Client) hasten(now, linger time.Duration) {
	c.closing.until = min(c.closing.until, now+linger)
	c.rearm()
	if linger == 0 {
		c.finishClose(now, "linger ended")
	}
}

// closeAtOnce (C1): one signed Refresh(LIFETIME=0), blind. Where nothing was
// ever signed and no allocation is known there is no datagram.
func (c *Client) closeAtOnce(now time.Duration) {
	if !c.lease.signed && c.phase != PhaseAllocated {
		c.closed(now, Abandoned, "nothing was signed yet")
		return
	}
	c.releaseBlindly(now)
	c.closed(now, Unconfirmed, "linger 0")
}

// closeLingering: the release is a transaction. An Allocate in flight goes on
// first: a release beside it may be handled before it (C4, C5). So does a
// Refresh, for one RTO: it could revive what the release deleted (C6).
func (c *Client) closeLingering(now, linger time.Duration) {
	c.closing = &closing{until: now + linger}
	c.become(PhaseClosing)
	c.awaited = 0
	c.dropRequests(forPermission, forChannel)
	c.endConnections("the client was closed")
	c.alloc = nil
	c.dropWanted()
	c.dropUnsent()
	switch {
	case c.inFlight(forAllocate) != nil:
	case c.inFlight(forRefresh, forProbe, forMove) != nil:
		c.closing.waitUntil = min(now+c.RTO(), c.inFlight(forRefresh, forProbe, forMove).dueAt) // no further copy of it
		c.rearm()
	case c.lease.asked != 0 && now < c.lease.asked+c.RTO():
		c.closing.waitUntil = c.lease.asked + c.RTO()
		c.rearm()
	case c.inFlight(forReclaim) != nil:
		// It is the release already: another one would find nothing.
		c.inFlight(forReclaim).purpose = forRelease
		c.closing.sent = true
		c.reusableAt = now + c.reusePause()
	default:
		c.dropRequests(forRelease)
		c.startRelease(now)
	}
}

// allocateFailedClosing (C4, C5): an error that proves that nothing was made
// ends the close. Silence is answered by one blind release. Any other error may
// have refused one copy only, so the release follows.
func (c *Client) allocateFailedClosing(now time.Duration, v verdict) {
	switch {
	case !c.mayLive(now):
		c.closed(now, NothingToRelease, "")
	case v.code == 0:
		c.releaseBlindly(now)
		c.closed(now, Unconfirmed, v.reason)
	default:
		c.startRelease(now)
	}
}

func (c *Client) tickClosing(now time.Duration) {
	switch {
	case c.closing == nil:
	case c.closing.until <= now:
		c.finishClose(now, "silence")
	case c.closing.waitUntil != 0 && c.closing.waitUntil <= now:
		c.startRelease(now)
	}
}

// finishClose ends a close without a verdict of the server's.
func (c *Client) finishClose(now time.Duration, reason string) {
	if tx := c.inFlight(forRelease); tx != nil && tx.held != nil {
		reason = tx.held.releaseReason() + ", unsigned"
	}
	switch {
	case !c.closing.sent && c.flowGone:
		c.closed(now, Abandoned, reason)
	case !c.closing.sent:
		c.releaseBlindly(now)
		c.closed(now, Unconfirmed, reason)
	default:
		c.closed(now, Unconfirmed, reason)
	}
}

// closed is the end: nothing is emitted after it, nothing is awaited.
func (c *Client) closed(now time.Duration, o Outcome, reason string) {
	if c.phase == PhaseClosed {
		return
	}
	if o != Released && !c.mayLive(now) {
		o, reason = NothingToRelease, ""
	}
	e := Event{Kind: Closed, Outcome: o, Reason: reason}
	switch o {
	case Released:
		e.ReuseAfter = c.reusePause()
	case Unconfirmed, Abandoned:
		e.Until = c.owed(now)
		e.ReuseAfter = max(0, e.Until-now)
	}
	c.endConnections("the client was closed")
	c.requests, c.forgone, c.closing, c.alloc, c.expired, c.mobile = nil, nil, nil, nil, nil, nil
	c.framing = nil
	c.awaited = 0
	c.dropWanted()
	c.become(PhaseClosed)
	c.emit(e)
}

// dieOfEntropy closes a client that can make no transaction ID any more.
func (c *Client) dieOfEntropy(now time.Duration) {
	const reason = "no entropy"
	t, _, owed := c.Parting(now, nil)
	switch {
	case owed:
		c.transmit(t.Data)
		c.closed(now, Unconfirmed, reason)
	case c.mayLive(now):
		c.closed(now, Abandoned, reason)
	default:
		c.closed(now, NothingToRelease, reason)
	}
}
