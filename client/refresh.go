package client

import (
	"time"

	"github.com/pion/stun/v3"
)

// Refresh refreshes the allocation now, beside the refreshes that it does by
// itself. One that is in flight already is enough.
func (c *Client) Refresh(now time.Duration) error {
	now = c.at(now)
	switch {
	case c.phase >= PhaseClosing:
		return ErrClosed
	case c.phase != PhaseAllocated:
		return ErrPhase
	}
	c.startRefresh(now)
	return nil
}

func (c *Client) startRefresh(now time.Duration) {
	if c.inFlight(forRefresh) != nil || c.moving() {
		return // the move is a Refresh
	}
	c.alloc.refreshAt = 0
	c.request(transaction{purpose: forRefresh, signer: c.auth.signer}, now)
	c.pump(now)
}

// extend counts the lifetime from the request's first send, which is no later
// than the server does, and plans the next refresh: "It is suggested that the
// client refresh the allocation roughly 1 minute before it expires."
// https://www.rfc-editor.org/rfc/rfc8656#section-8
func (c *Client) extend(now time.Duration, tx *transaction, granted time.Duration) {
	a := c.alloc
	a.lifetime = granted
	// An answer that comes so late says that some copy was obeyed, not which:
	// there is time to ask again.
	a.expiresAt = max(tx.firstAt+granted, now+2*refreshMinimum)
	wait := max(granted-refreshLead, granted/2)
	if c.cfg.refreshCap > 0 {
		wait = min(wait, c.cfg.refreshCap)
	}
	a.refreshAt = max(tx.firstAt+wait, now+refreshMinimum)
	c.rearm()
}

// tickAllocation refreshes what is due, and notices the end of what was not
// refreshed.
func (c *Client) tickAllocation(now time.Duration) {
	if c.phase != PhaseAllocated {
		return
	}
	if c.alloc.expiresAt <= now {
		c.lose(now, c.expiry(now))
		return
	}
	if c.serving() && c.alloc.refreshAt != 0 && c.alloc.refreshAt <= now {
		c.alloc.refreshAt = 0
		c.startRefresh(now)
	}
}

func (c *Client) expiry(now time.Duration) lossOf {
	if c.expired != nil {
		return lossOf{method: stun.MethodRefresh, verdict: *c.expired}
	}
	return lossOf{method: stun.MethodRefresh, verdict: verdict{reason: "silence: the allocation expired before a Refresh was answered"}}
}

// refreshSucceeded: "If the client receives a success response to its Refresh
// request with a non-zero lifetime, it updates its copy of the allocation data
// structure with the time-to-expiry value contained in the response."
// https://www.rfc-editor.org/rfc/rfc8656#section-8.3
func (c *Client) refreshSucceeded(now time.Duration, tx *transaction, m *message) {
	var granted lifetime
	err := granted.GetFrom(&m.Message)
	if c.phase == PhaseClosing {
		c.grant(tx, max(time.Duration(granted), assumedLifetime, c.cfg.lifetime))
		c.releaseRevived(now)
		return
	}
	switch {
	case err != nil:
		c.refreshFailed(now, tx, verdict{reason: "unusable success response: no LIFETIME", signed: tx.signer != nil})
		return
	case granted == 0:
		c.settle()
		c.lose(now, lossOf{method: stun.MethodRefresh, verdict: verdict{reason: "the server answered a Refresh with LIFETIME 0", signed: tx.signer != nil}})
		return
	}
	c.expired = nil
	c.grant(tx, time.Duration(granted))
	c.touchParting()
	c.extend(now, tx, time.Duration(granted))
	c.emit(Event{Kind: Refreshed, Lifetime: time.Duration(granted)})
	if tx.purpose == forProbe {
		c.probeSucceeded(now, tx.number)
	}
}

// refreshFailed: the allocation lives until its local expiry; what can be
// tried again is, without haste.
func (c *Client) refreshFailed(now time.Duration, tx *transaction, v verdict) {
	c.forgo(tx) // a copy may yet revive what a close releases (C6)
	if c.phase == PhaseClosing {
		c.releaseRevived(now)
		return
	}
	if v.code == int(stun.CodeAllocMismatch) {
		c.lose(now, lossOf{method: stun.MethodRefresh, verdict: v})
		return
	}
	c.noteExpiredCredentials(v, stun.MethodRefresh)
	c.alloc.refreshAt = c.retryAt(now, v)
	if v.code == 0 {
		c.lease.asked = tx.lastAt
		c.alloc.refreshAt = now + refreshMinimum // until its expiry there is no time to lose
	}
	c.rearm()
	if v.code != int(stun.CodeUnauthorized) || v.bare {
		e := v.event(RefreshFailed)
		e.Method = stun.MethodRefresh
		c.emit(e)
	}
	if tx.purpose == forProbe {
		c.probeFailed(now, tx.number, v)
	}
}

// lossOf is why an allocation was lost, and by which method that came out.
type lossOf struct {
	method stun.Method
	verdict
	outOfSync bool // the server is there and holds it: a release will be answered
	moved     bool // our address changed: another one is wanted
	elsewhere bool // and on another flow
}

// lose leaves PhaseAllocated without a close. "A client receiving a 437 error
// response to a request other than Allocate MUST assume the allocation no
// longer exists." https://www.rfc-editor.org/rfc/rfc8656#section-5
func (c *Client) lose(now time.Duration, why lossOf) {
	if why.code == int(stun.CodeAllocMismatch) && (why.signed || c.auth.signer == nil) {
		c.settle()
	}
	why.moved = why.moved || c.moving() && (c.awaited != 0 || !c.flowGone)
	c.dropRequests(forRefresh, forProbe, forMove, forPermission, forChannel)
	c.endConnections("the allocation is lost")
	notBefore := c.alloc.madeAt + requestPause // no server drives us round in a hot loop
	c.alloc, c.expired = nil, nil
	switch {
	case !c.mayLive(now) || why.refusesMove():
	case why.outOfSync:
		c.startRelease(now)
	default:
		c.releaseBlindly(now)
	}
	e := why.event(AllocationLost)
	e.Method, e.Until = why.method, c.owed(now)
	c.mobile = nil
	if c.phase == PhaseClosed {
		return // there was no entropy for its release
	}
	c.become(PhaseNew)
	c.emit(e)
	c.allocateAnew(now, why, notBefore)
}

// allocateAnew: on the same flow or another, if that is wanted.
func (c *Client) allocateAnew(now time.Duration, why lossOf, notBefore time.Duration) {
	if !c.cfg.reallocate && !why.moved {
		c.awaited = 0
		c.dropWanted()
		return
	}
	c.forgetInstalled()
	c.ports, c.reclaimed = 1, false
	if !why.moved {
		c.reusableAt = max(c.reusableAt, notBefore)
	}
	switch {
	case c.awaited != 0: // by the move
		c.become(PhaseAllocating)
	case why.elsewhere:
	case c.flowGone: // the stream has ended
		c.awaitFlow(Event{Kind: FlowNeeded, Until: c.owed(now)})
	default:
		c.startAllocate(now)
	}
}
