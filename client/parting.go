package client

import (
	"time"

	"github.com/pion/stun/v3"
)

// Parting is the one signed Refresh(LIFETIME=0) that a close would send at
// this moment, appended to buf; ok is false when nothing is owed. It changes no
// state: its transaction ID was drawn when it last changed. until is the
// instant to which the server may hold the allocation.
func (c *Client) Parting(now time.Duration, buf []byte) (t Transmit, until time.Duration, ok bool) {
	now = max(now, c.now)
	if c.phase == PhaseClosed || c.flowGone || !c.mayLive(now) || !c.lease.signed && c.alloc == nil {
		return Transmit{}, 0, false
	}
	t = Transmit{Flow: c.flow, To: c.cfg.server, Data: append(buf, c.releaseMessage(c.partingID, c.releaseSigner())...)}
	return t, c.lease.until, true
}

// releaseMessage is one Refresh(LIFETIME=0).
func (c *Client) releaseMessage(id transactionID, signer *credential) []byte {
	m := c.newMessage(stun.MethodRefresh, id)
	add(m, lifetime(0))
	c.seal(m, signer)
	return m.Raw
}

// touchParting: what Parting answers is another from now on.
func (c *Client) touchParting() {
	if c.phase == PhaseClosed {
		return
	}
	_ = c.draw(c.partingID[:]) // without entropy the old ID serves
	if n := len(c.events); n == 0 || c.events[n-1].Kind != PartingChanged {
		c.emit(Event{Kind: PartingChanged})
	}
}
