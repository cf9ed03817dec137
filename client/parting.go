package client

import (
	"slices"
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
	buf = slices.Grow(buf, c.releaseSize())
	m := c.releaseMessage(buf[len(buf):], c.partingID)
	t = Transmit{Flow: c.flow, To: c.cfg.server, Data: buf[:len(buf)+len(m)]}
	return t, c.lease.until, true
}

// releaseMessage is one Refresh(LIFETIME=0), written to buf, which is empty and
// has room for releaseSize bytes.
func (c *Client) releaseMessage(buf []byte, id transactionID) []byte {
	m := c.newMessageIn(buf, stun.MethodRefresh, id)
	added(m, lifetime(0).AddTo(m))
	if ticket := c.ticket(); len(ticket) > 0 {
		addBytes(m, attrMobilityTicket, ticket)
	}
	c.seal(m, c.releaseSigner(), c.auth.nonce)
	return m.Raw
}

func (c *Client) releaseSize() int {
	signer := c.releaseSigner()
	return c.headSize() + wordSize + c.ticketSize() + signer.tokenSize(stun.MethodRefresh) + c.sealSize(signer, c.auth.nonce)
}

// touchParting: what Parting answers is another from now on.
func (c *Client) touchParting() {
	if c.phase == PhaseClosed {
		return
	}
	_ = c.draw(c.partingID[:]) // without entropy the old ID serves
	c.emitPartingChanged()
}
