package client

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// Allocate asks for an allocation: in PhaseNew.
func (c *Client) Allocate(now time.Duration) error {
	now = c.at(now)
	switch {
	case c.phase >= PhaseClosing:
		return ErrClosed
	case c.phase != PhaseNew || c.awaited != 0:
		return ErrPhase
	case c.familyRefused:
		return ErrFamily
	}
	c.ports, c.reclaimed = 1, false
	if c.flowGone {
		c.awaitFlow(Event{Kind: FlowNeeded})
		return nil
	}
	c.startAllocate(now)
	return nil
}

// startAllocate makes the first, unsigned Allocate:
//
//	"If the client has not completed a successful request/response transaction
//	with the server, it MUST omit the USERNAME, USERHASH, MESSAGE-INTEGRITY,
//	MESSAGE-INTEGRITY-SHA256, REALM, NONCE, PASSWORD-ALGORITHMS, and
//	PASSWORD-ALGORITHM attributes."
//
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.3.1
//
// A port that has just released waits: servers hold it a little longer.
func (c *Client) startAllocate(now time.Duration) {
	c.dropRequests(forRelease)
	c.become(PhaseAllocating)
	c.lease.older = c.mayLive(now)
	c.request(transaction{purpose: forAllocate}, max(now, c.reusableAt))
	c.pump(now)
}

// allocateSucceeded: "the client creates its own copy of the allocation data
// structure to track what is happening on the server."
// https://www.rfc-editor.org/rfc/rfc8656#section-7.3
func (c *Client) allocateSucceeded(now time.Duration, tx *transaction, m *message) {
	c.forgo(tx)
	granted, relayed, mapped, ok := c.readAllocation(m)
	c.grant(tx, max(granted, assumedLifetime, c.cfg.lifetime))
	if c.phase == PhaseClosing {
		c.lease.relayed = relayed
		c.restartRelease(now)
		return
	}
	if !ok {
		c.failed(now, tx, verdict{reason: "unusable success response: no XOR-RELAYED-ADDRESS of the family asked for, or no LIFETIME", signed: tx.signer != nil})
		return
	}
	c.grant(tx, granted)
	c.lease.relayed = relayed
	c.mobile = nil
	c.storeTicket(tx.signer, m)
	c.dual(m)
	c.allocated(now, tx, allocation{mapped: mapped, lifetime: granted})
	c.reserved(tx, m)
}

// readAllocation reads what an Allocate success must carry. The mapped address
// may be missing: nothing here depends on it.
func (c *Client) readAllocation(m *message) (granted time.Duration, relayed, mapped netip.AddrPort, ok bool) {
	var l lifetime
	err := l.GetFrom(&m.Message)
	relayed, _ = relayedAddresses(m)
	mapped, _ = getXorAddress(&m.Message, stun.AttrXORMappedAddress)
	ok = err == nil && l > 0 && relayed.IsValid() && c.peerFamily(relayed.Addr())
	return time.Duration(l), relayed, mapped, ok
}

// allocateFailed follows RFC 8656 section 7.4.
func (c *Client) allocateFailed(now time.Duration, tx *transaction, v verdict) {
	c.forgo(tx)
	c.settleRefused(tx, v)
	if c.phase == PhaseClosing {
		c.allocateFailedClosing(now, v)
		return
	}
	if c.forbidsMobility(now, tx, v) {
		return
	}
	if v.code == int(stun.CodeAllocMismatch) {
		c.mismatched(now, v)
		return
	}
	if c.allocateWithout(now, tx, v) {
		return
	}
	c.giveUpAllocate(now, v)
}

// definite: the error proves that the Allocate left nothing behind. A server
// may refuse one copy and accept another, and an unsigned error to a signed
// request may be anybody's.
func (c *Client) definite(tx *transaction, v verdict) bool {
	mismatch := v.code == int(stun.CodeAllocMismatch)
	switch {
	case v.code == 0:
		return false
	case tx.signer == nil:
		return !mismatch || tx.sends == 1 || c.auth.proven
	}
	return v.signed && !mismatch && tx.sends == 1 && len(tx.elders) == 0
}

// giveUpAllocate ends the Allocate: what may live is released blindly, and
// the event says until when it may.
func (c *Client) giveUpAllocate(now time.Duration, v verdict) {
	if c.mayLive(now) {
		c.releaseBlindly(now)
	}
	c.familyRefused = v.code == int(stun.CodeAddrFamilyNotSupported)
	e := v.event(AllocateFailed)
	e.Method, e.Until, e.RetryAfter = stun.MethodAllocate, c.owed(now), retryAfter(v.code)
	if v.code == int(stun.CodeUnauthorized) {
		e.Reason = c.credentialsAdvice(v)
	}
	c.become(PhaseNew)
	c.redirected(v)
	c.emit(e)
	c.dropWaiting()
}

// retryAfter: "The client SHOULD wait at least 1 minute before trying to create
// any more allocations on the server", and for 437 "it SHOULD NOT try to create
// another allocation on the server for 2 minutes".
// https://www.rfc-editor.org/rfc/rfc8656#section-7.4
func retryAfter(code int) time.Duration {
	switch stun.ErrorCode(code) {
	case stun.CodeAllocQuotaReached, stun.CodeInsufficientCapacity:
		return quotaPause
	case stun.CodeAllocMismatch:
		return mismatchPause
	}
	return 0
}

func (c *Client) credentialsAdvice(v verdict) string {
	if !c.hasCredentials() {
		return "the server asks for credentials and none are set"
	}
	if v.refused {
		return v.reason
	}
	if v.bare {
		return "challenge without realm or nonce"
	}
	return "credentials rejected"
}

// mismatched: "This indicates that the client has picked a 5-tuple that the
// server sees as already in use. [...] The client SHOULD pick another client
// transport address and retry the Allocate request (using a different
// transaction id). The client SHOULD try three different client transport
// addresses before giving up on this server."
// https://www.rfc-editor.org/rfc/rfc8656#section-7.4
func (c *Client) mismatched(now time.Duration, v verdict) {
	if c.cfg.reclaim && !c.reclaimed {
		c.startReclaim(now)
		return
	}
	if c.ports >= maxPorts {
		c.giveUpAllocate(now, v)
		return
	}
	if c.mayLive(now) && c.lease.signed {
		c.releaseBlindly(now)
	}
	c.ports++
	e := v.event(NeedNewPort)
	e.Until = c.owed(now)
	c.awaitFlow(e)
}

// allocation is the client's copy of what the server holds, beside what stands
// in its lease.
type allocation struct {
	mapped    netip.AddrPort
	lifetime  time.Duration
	madeAt    time.Duration
	expiresAt time.Duration // as the server may count it: from the first send
	refreshAt time.Duration // 0: not before the credentials are replaced
}

// allocated enters PhaseAllocated.
func (c *Client) allocated(now time.Duration, tx *transaction, a allocation) {
	if tx.signer == nil {
		c.setSigner(nil) // the server asks for none
	}
	a.madeAt = now
	c.alloc = &a
	c.extend(now, tx, a.lifetime)
	c.armKeepalive(now)
	c.become(PhaseAllocated)
	c.touchParting()
	c.emit(Event{Kind: Allocated, Relayed: c.lease.relayed, Additional: c.Additional(), Mapped: a.mapped, Lifetime: a.lifetime})
	c.requestWanted(now)
}
