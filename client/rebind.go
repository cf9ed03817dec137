package client

import (
	"time"

	"github.com/pion/stun/v3"
)

// Rebind: the local address has changed, or is about to. The machine asks for
// another flow (FlowNeeded) and moves the allocation to it: Rebound, or
// RebindFailed and a new allocation with the permissions and channels that it
// had. Payloads wait meanwhile. Where the server gave no ticket there is a new
// allocation at once.
//
// The flow from before may be closed when FlowOpened was called, and need not:
// what the server sends there is taken until it has answered on the new one.
func (c *Client) Rebind(now time.Duration) error {
	now = c.at(now)
	switch {
	case c.phase >= PhaseClosing:
		return ErrClosed
	case c.awaited != 0:
		return nil
	case c.phase == PhaseNew:
		return ErrPhase
	case c.phase != PhaseAllocated:
		c.allocateElsewhere(now)
	case len(c.ticketAtHand()) == 0:
		c.reallocateElsewhere(now)
	default:
		c.startMove(now)
	}
	return nil
}

// ticketAtHand is the newest ticket, whether it is to be shown yet or not.
func (c *Client) ticketAtHand() []byte {
	if c.mobile == nil {
		return nil
	}
	return c.mobile.ticket
}

// allocateElsewhere begins an Allocate that is under way anew. What it may have
// left on the old flow is released there as far as one datagram does it.
func (c *Client) allocateElsewhere(now time.Duration) {
	c.forgoRequests(forAllocate, forReclaim)
	if c.mayLive(now) && c.lease.signed {
		c.releaseBlindly(now)
	}
	if c.phase != PhaseClosed {
		c.awaitFlow(Event{Kind: FlowNeeded, Until: c.owed(now)})
	}
}

// reallocateElsewhere: the server cannot move the allocation.
func (c *Client) reallocateElsewhere(now time.Duration) {
	why := verdict{reason: "the local address changed, and the server gave no mobility ticket"}
	c.emit(why.eventOf(RebindFailed, stun.MethodRefresh))
	c.lose(now, lossOf{method: stun.MethodRefresh, verdict: why, moved: true, elsewhere: true})
	if c.phase != PhaseClosed {
		c.awaitFlow(Event{Kind: FlowNeeded})
	}
}

// startMove puts aside all that is under way on the old flow. What the server
// did about it is asked anew after the move.
func (c *Client) startMove(now time.Duration) {
	mo := c.mobile
	mo.moving = true
	c.forgoRequests(forRefresh, forProbe, forMove)
	c.dropRequests(forPermission, forChannel)
	for i := range c.permissions {
		c.permissions[i].putAside(now)
	}
	for i := range c.channels {
		c.channels[i].putAside(now)
	}
	c.awaited = c.nextFlow
	c.nextFlow++
	c.rearm()
	c.emit(Event{Kind: FlowNeeded, Method: stun.MethodRefresh, Flow: c.awaited, Peer: c.cfg.server})
}

// putAside: the request that was under way is made anew.
func (p *permission) putAside(now time.Duration) {
	if p.busy {
		p.busy, p.asked, p.refreshAt = false, false, now
	}
}

func (ch *channel) putAside(now time.Duration) {
	if ch.busy {
		ch.busy, ch.asked, ch.refreshAt = false, false, now
	}
}

// move presents the ticket on the new flow: "the client includes the
// MOBILITY-TICKET attribute received in the Allocate success response in the
// Refresh request." https://www.rfc-editor.org/rfc/rfc8016#section-3.2.1
func (c *Client) move(now time.Duration, flow Flow) {
	mo := c.mobile
	if !mo.adrift { // else the allocation is known on an earlier one still
		mo.old, mo.oldGone, mo.nonce = c.flow, c.flowGone, c.auth.nonce
	}
	mo.adrift = true
	c.flow, c.awaited, c.flowGone, c.framing, c.reusableAt = flow, 0, false, nil, 0
	c.touchParting()
	c.request(transaction{purpose: forMove, signer: c.auth.signer, ticketed: true}, now)
	c.pump(now)
}

// takesFrom: until the move is answered the server may send to the old flow.
// "The TURN server MUST [...] continue transmitting data on the old-5 tuple
// until it receives a Send Indication or ChannelData message from the client on
// the new 5-tuple". https://www.rfc-editor.org/rfc/rfc8016#section-3.2.2
func (c *Client) takesFrom(flow Flow) bool {
	return c.moving() && c.mobile.adrift && !c.mobile.oldGone && flow == c.mobile.old
}

// arrive: the server has answered on the new flow that the allocation is there.
func (c *Client) arrive(signer *credential, m *message) {
	c.mobile.adrift, c.mobile.ticket = false, nil // "it MUST use the new ticket"
	c.storeTicket(signer, m)
}

// arriveLate is arrive by the answer to a move that was given up. The one that is
// in flight shows a ticket that is spent; a plain Refresh says how long it lives.
func (c *Client) arriveLate(now time.Duration, signer *credential, m *message) {
	c.arrive(signer, m)
	tx := c.inFlight(forMove)
	if tx == nil || c.phase != PhaseAllocated {
		return
	}
	c.forgo(tx)
	c.remove(tx)
	c.moved(m)
	c.startRefresh(now)
	c.settleIn(now)
}

// moveSucceeded takes up what was put aside. It is a Refresh, too.
func (c *Client) moveSucceeded(now time.Duration, tx *transaction, m *message) {
	c.arrive(tx.signer, m)
	c.mobile.moving = false
	if c.phase == PhaseClosing {
		c.refreshSucceeded(now, tx, m)
		return
	}
	c.moved(m)
	c.refreshSucceeded(now, tx, m)
	c.settleIn(now)
}

// moved tells of the end of a move.
func (c *Client) moved(m *message) {
	c.mobile.moving = false
	mapped, ok := getXorAddress(&m.Message, stun.AttrXORMappedAddress)
	if ok {
		c.alloc.mapped = mapped
	}
	c.touchParting()
	c.emit(Event{Kind: Rebound, Relayed: c.lease.relayed, Mapped: mapped, Flow: c.flow})
}

// settleIn goes on where Rebind stopped, with what was due meanwhile.
func (c *Client) settleIn(now time.Duration) {
	c.rearm()
	c.tickAllocation(now)
	c.tickKeepalive(now)
	c.requestWanted(now)
	for i := 0; i < len(c.permissions) && c.serving(); i++ {
		if p := &c.permissions[i]; p.good(now) {
			c.flushPayloads(now, p.addr)
		}
	}
}

// moveFailed: "the client starts afresh with a new allocation."
// https://www.rfc-editor.org/rfc/rfc8016#section-3.2.2
//
// What the server holds is released with the ticket, on the new flow, or
// without it on the old one.
func (c *Client) moveFailed(now time.Duration, tx *transaction, v verdict) {
	c.forgo(tx)
	if v.code == int(stun.CodeBadRequest) || v.code == 0 && v.signed {
		// It is invalid, or the allocation is on this flow already: the answer to
		// an earlier copy was lost, or could not be used.
		c.mobile.ticket = nil
	}
	if c.phase == PhaseClosing {
		c.releaseRevived(now)
		return
	}
	c.emit(v.eventOf(RebindFailed, stun.MethodRefresh))
	if mo := c.mobile; v.code != 0 && !mo.oldGone && !(v.signed && v.code == int(stun.CodeAllocMismatch)) {
		c.releaseOn(now, mo.old)
	}
	if c.phase == PhaseAllocated {
		c.lose(now, lossOf{method: stun.MethodRefresh, verdict: v, moved: true})
	}
}

// moveCut: the new flow has ended before the answer. What the server has not
// moved yet is released on the old one, and there is a new allocation on a third.
func (c *Client) moveCut(now time.Duration, v verdict) {
	c.emit(v.eventOf(RebindFailed, stun.MethodRefresh))
	if mo := c.mobile; mo.adrift && !mo.oldGone {
		c.flowGone = false
		c.releaseOn(now, mo.old)
		c.flowGone = true
	}
}

// releaseOn sends one Refresh(LIFETIME=0) on the flow of before the move.
func (c *Client) releaseOn(now time.Duration, flow Flow) {
	present, nonce, until := c.flow, c.auth.nonce, c.reusableAt
	c.flow, c.auth.nonce, c.mobile.adrift = flow, c.mobile.nonce, false
	c.releaseBlindly(now)
	c.flow, c.auth.nonce, c.reusableAt = present, nonce, until
	if c.mobile != nil {
		c.mobile.adrift = true
	}
}

// stay: no other flow could be opened. The allocation stays where it is, if
// there is a socket for it.
func (c *Client) stay(now time.Duration) {
	why := verdict{reason: "no other flow to the server could be opened"}
	c.emit(why.eventOf(RebindFailed, stun.MethodRefresh))
	switch {
	case c.flowGone:
		c.lose(now, lossOf{method: stun.MethodRefresh, verdict: why})
	case c.mobile.adrift: // a move before this one was not answered yet
		c.request(transaction{purpose: forMove, signer: c.auth.signer, ticketed: true}, now)
		c.pump(now)
	default:
		c.mobile.moving = false
		c.settleIn(now)
	}
}

// refusesMove: the server's own word that the move came to nothing, so that
// nothing of ours is on the new flow to be released there. 400 is apart: it may
// answer a copy of what was obeyed.
func (why *lossOf) refusesMove() bool {
	return why.moved && why.signed && why.code != 0 && why.code != int(stun.CodeBadRequest)
}
