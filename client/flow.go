package client

import (
	"time"

	"github.com/pion/stun/v3"
)

// awaitFlow asks the caller for another flow and waits for it.
func (c *Client) awaitFlow(e Event) {
	c.become(PhaseAllocating)
	c.awaited = c.nextFlow
	c.nextFlow++
	e.Method, e.Flow, e.Peer = stun.MethodAllocate, c.awaited, c.cfg.server
	c.emit(e)
}

// FlowOpened: the flow that an event asked for is there.
func (c *Client) FlowOpened(now time.Duration, flow Flow) {
	now = c.at(now)
	if c.phase == PhaseAllocated && c.connectionFlow(now, flow, true) {
		return
	}
	if c.awaited == 0 || flow != c.awaited || c.phase >= PhaseClosing {
		c.stats.IgnoredFlow++
		return
	}
	if c.moving() {
		c.move(now, flow)
		return
	}
	// What may live on the old flow was said in the event: this one starts clean.
	c.flow, c.awaited, c.flowGone, c.framing = flow, 0, false, nil
	c.lease, c.forgone = lease{}, nil
	if !c.Stream() { // there it is no port's: a server that ends streams is not to be asked all the time
		c.reusableAt = 0
	}
	c.touchParting()
	c.startAllocate(now)
}

// FlowClosed: the flow is gone, or could not be opened.
func (c *Client) FlowClosed(now time.Duration, flow Flow) {
	now = c.at(now)
	switch {
	case c.phase == PhaseClosed:
		c.stats.IgnoredFlow++
	case c.awaited != 0 && flow == c.awaited:
		c.awaited = 0
		if c.moving() {
			c.stay(now)
			return
		}
		c.giveUpAllocate(now, c.noFlow())
	case c.connectionFlow(now, flow, false):
	case flow == c.flow:
		c.flowLost(now)
	case c.takesFrom(flow):
		c.mobile.oldGone = true
	default:
		c.stats.IgnoredFlow++
	}
}

// noFlow: the flow of a NeedNewPort or a FlowNeeded could not be opened.
func (c *Client) noFlow() verdict {
	if c.ports > 1 {
		return verdict{code: int(stun.CodeAllocMismatch), reason: "no other local port could be opened"}
	}
	return verdict{reason: "no other flow to the server could be opened"}
}

func (c *Client) flowLost(now time.Duration) {
	c.flowGone, c.framing = true, nil
	if c.awaited != 0 {
		return // the old socket was closed for the new one
	}
	why := verdict{reason: "the flow to the server was closed"}
	switch c.phase {
	case PhaseClosing:
		c.finishClose(now, why.reason)
	case PhaseAllocated:
		moving := c.moving()
		if moving {
			c.moveCut(now, why)
		}
		c.lose(now, lossOf{verdict: why, moved: moving})
	case PhaseAllocating, PhaseAuthenticated:
		c.dropRequests(forAllocate, forReclaim)
		c.giveUpAllocate(now, why)
	default:
		c.dropRequests(forRelease)
	}
}

// PathError: "A STUN transaction over UDP or DTLS-over-UDP is also considered
// failed if there has been a hard ICMP error [RFC1122]."
// https://www.rfc-editor.org/rfc/rfc8489#section-6.2.1
//
// A release goes on all the same: it has nothing to lose by another copy. So
// does a move: a path that is new may take a while to work.
func (c *Client) PathError(now time.Duration, flow Flow) {
	now = c.at(now)
	if flow != c.flow || c.phase >= PhaseClosing {
		c.stats.IgnoredFlow++
		return
	}
	for _, tx := range c.sentRequests() { // not those that are sent in their place
		if tx.purpose != forRelease && tx.purpose != forMove && tx.purpose != forBind && c.find(tx.id) == tx {
			c.end(now, tx, verdict{reason: "the path to " + c.cfg.server.String() + " answered with an ICMP error: is a server listening there?"})
		}
	}
}
