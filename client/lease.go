package client

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// lease is what the server may hold for us on the present flow, known to us or
// not. It begins with the first send of an Allocate and ends with the server's
// word that nothing is there.
type lease struct {
	until   time.Duration // 0: nothing of ours can be there
	granted time.Duration // LIFETIME of the last success
	signed  bool          // it was, or is being, asked for with credentials
	older   bool          // it was there before the Allocate that is under way
	asked   time.Duration // last send of a Refresh that ended without an answer; 0 = none
	relayed netip.AddrPort
}

// noteSent keeps the books of what a send may bring about on the server. Parting
// tells of it: its instant moves with every copy.
func (c *Client) noteSent(now time.Duration, tx *transaction) {
	before := c.lease
	switch tx.purpose {
	case forAllocate:
		c.lease.until = max(c.lease.until, now+max(assumedLifetime, c.cfg.lifetime))
		c.lease.signed = c.lease.signed || tx.signer != nil
	case forRefresh, forProbe, forMove:
		c.lease.until = max(c.lease.until, now+max(assumedLifetime, c.lease.granted, c.cfg.lifetime))
	case forRelease, forReclaim:
		c.reusableAt = now + c.reusePause() // any copy may be the one that is obeyed
	case forPermission:
		c.notePermissionsSent(now, tx)
	case forChannel:
		c.noteChannelSent(now, tx)
	}
	if c.lease != before && (c.lease.signed || c.alloc != nil) {
		c.touchParting()
	}
}

// grant notes the server's own word.
func (c *Client) grant(tx *transaction, granted time.Duration) {
	c.lease.granted = granted
	c.lease.until = tx.lastAt + granted
}

// mayLive says whether the server may hold an allocation of ours.
func (c *Client) mayLive(now time.Duration) bool { return c.lease.until > now }

// owed is the instant to which the server may hold an allocation, 0 for none.
func (c *Client) owed(now time.Duration) time.Duration {
	if c.mayLive(now) {
		return c.lease.until
	}
	return 0
}

// settleRefused: an error to an Allocate that proves that it left nothing
// behind. What an earlier one may have left is not refused with it: a server
// can refuse (500) before it looks whether the 5-tuple is in use.
func (c *Client) settleRefused(tx *transaction, v verdict) {
	if tx.purpose == forAllocate && c.definite(tx, v) && !c.lease.older {
		c.settle()
	}
}

// settle: nothing of ours is on the server.
func (c *Client) settle() {
	known := c.lease.signed || c.alloc != nil
	c.lease = lease{}
	if known {
		c.touchParting()
	}
}

// forgone is a request that is over, for us, although the server may still obey
// a copy of it: a late success is news.
type forgone struct {
	id      transactionID
	purpose purpose
	signer  *credential
}

// forgo remembers the IDs of a request that is over.
func (c *Client) forgo(tx *transaction) {
	if tx.sends == 0 || tx.signer == nil && c.auth.signer != nil {
		return // once credentials were sent an unsigned success proves nothing (I7)
	}
	c.forgone = append(c.forgone, forgone{tx.id, tx.purpose, tx.signer})
	for _, id := range tx.elders {
		c.forgone = append(c.forgone, forgone{id, tx.purpose, tx.signer})
	}
	if n := len(c.forgone) - maxForgone; n > 0 {
		c.forgone = append(c.forgone[:0], c.forgone[n:]...)
	}
}

// handleLate takes a response that no request in flight waits for.
func (c *Client) handleLate(now time.Duration, m *message) {
	c.auth.proven = c.auth.proven || m.signedBy(c.auth.signer)
	for _, f := range c.forgone {
		if f.id == m.TransactionID && m.Type == successOf(f.purpose) && c.proves(m, f.signer) {
			c.lateSuccess(now, f, m)
			return
		}
	}
	c.stats.IgnoredTransaction++
}

// lateSuccess: the server made or kept something after we had turned away from
// it. While nothing is wanted of it, it is released.
func (c *Client) lateSuccess(now time.Duration, f forgone, m *message) {
	if f.purpose == forMove && c.moving() {
		c.arriveLate(now, f.signer, m) // given up for another, or for the close: it is here
	}
	if c.phase == PhaseAllocated || f.purpose != forAllocate && c.phase != PhaseClosing {
		c.stats.IgnoredTransaction++
		return
	}
	relayed, _ := getXorAddress(&m.Message, stun.AttrXORRelayedAddress)
	if c.phase == PhaseClosing && f.purpose == forAllocate && relayed.IsValid() && relayed == c.lease.relayed {
		c.stats.IgnoredTransaction++ // a further answer that tells of the same allocation
		return
	}
	c.forget(f.id)
	var granted lifetime
	_ = granted.GetFrom(&m.Message)
	c.lease.granted = max(time.Duration(granted), assumedLifetime, c.cfg.lifetime)
	c.lease.until = max(c.lease.until, now+c.lease.granted)
	c.lease.signed, c.lease.older = f.signer != nil, true
	switch {
	case c.phase == PhaseNew:
		c.restartRelease(now)
	case c.phase == PhaseClosing:
		c.releaseRevived(now)
	case c.inFlight(forReclaim) != nil:
		c.restartReclaim(now)
	}
}

// proves: the message is signed as the request was.
func (c *Client) proves(m *message, signer *credential) bool {
	return signer == nil && c.auth.signer == nil || m.signedBy(signer)
}

func successOf(p purpose) stun.MessageType {
	return stun.NewType(p.method(), stun.ClassSuccessResponse)
}

func (c *Client) forget(id transactionID) {
	for i := range c.forgone {
		if c.forgone[i].id == id {
			c.forgone = append(c.forgone[:i], c.forgone[i+1:]...)
			return
		}
	}
}
