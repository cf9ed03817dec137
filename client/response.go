package client

import (
	"time"

	"github.com/pion/stun/v3"
)

// handleResponse takes a success or error response from the server's address.
func (c *Client) handleResponse(now time.Duration, m *message) {
	tx := c.find(m.TransactionID)
	if tx == nil {
		c.handleLate(now, m)
		return
	}
	if m.Type.Method != tx.purpose.method() {
		c.stats.IgnoredUnexpected++
		return
	}
	signed := m.signedBy(tx.signer)
	c.auth.proven = c.auth.proven || signed
	if tx.id != m.TransactionID && !(signed && settles(tx, m)) {
		c.stats.IgnoredTransaction++
		return
	}
	if m.breaksPromise() {
		c.stats.IgnoredIntegrity++
		return
	}
	if m.Type.Class == stun.ClassSuccessResponse {
		c.handleSuccess(now, tx, m, signed)
	} else {
		c.handleError(now, tx, m, signed)
	}
	c.pump(now)
}

// settles: of the answers to an ID that was given up for another, a success
// counts, and that the allocation to release is not there. A refusal does not
// speak for the copy that was signed anew.
func settles(tx *transaction, m *message) bool {
	return m.Type.Class == stun.ClassSuccessResponse ||
		tx.purpose == forRelease && m.verdict().code == int(stun.CodeAllocMismatch)
}

func (c *Client) handleSuccess(now time.Duration, tx *transaction, m *message, signed bool) {
	if !signed && c.mustSign(tx) && !c.bindsUnsigned(tx, m) {
		// "If the request was sent over an unreliable transport, the response
		// MUST be discarded, as if it had never been received."
		// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.5
		c.violate(now, tx)
		return
	}
	c.measure(now, tx, m.TransactionID)
	c.remove(tx)
	if m.unknown {
		// "If the success response contains unknown comprehension-required
		// attributes, the response is discarded and the transaction is
		// considered to have failed."
		// https://www.rfc-editor.org/rfc/rfc8489#section-6.3.3
		c.stats.IgnoredAttribute++
		c.failed(now, tx, verdict{reason: "success response with an attribute that is not understood", signed: signed})
		return
	}
	c.succeeded(now, tx, m)
}

// breaksPromise: "For all other responses, if the NONCE attribute starts with
// the "nonce cookie" with the STUN Security Feature "Password algorithms" bit set
// to 1 but PASSWORD-ALGORITHMS is not present, the response MUST be ignored."
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.5
func (m *message) breaksPromise() bool {
	if m.Type.Class == stun.ClassErrorResponse {
		code := m.verdict().code
		if code == int(stun.CodeUnauthorized) || code == int(stun.CodeStaleNonce) {
			return false
		}
	}
	ch := m.challenge()
	return featuresOf(ch.nonce).algorithms && !ch.listed
}

// mustSign says whether only a signed answer to the request can be the server's:
// one that has signed before does not obey what is unsigned (I7).
func (c *Client) mustSign(tx *transaction) bool { return tx.signer != nil || c.auth.proven }

// handleError takes an error response. What is signed, or answers an unsigned
// request of a client that the server never signed for, counts at once; the
// rest is held (A10), 401 and 438 apart, unless it came on a stream: nobody but
// those on the path puts anything there.
func (c *Client) handleError(now time.Duration, tx *transaction, m *message, signed bool) {
	if tx.signer != nil && !signed && m.integrity {
		c.violate(now, tx)
		return
	}
	v, ch := m.verdict(), m.challenge()
	v.signed = signed
	v.bare = v.code == int(stun.CodeUnauthorized) && !ch.complete()
	retry := v.code == int(stun.CodeUnauthorized) && c.answersChallenge(tx, ch) ||
		v.code == int(stun.CodeStaleNonce) && c.renews(tx, ch)
	if v.code == int(stun.CodeUnauthorized) && !c.mustSign(tx) {
		c.tellOfToken(m)
	}
	if _, refused := c.weigh(ch); retry && refused != "" {
		v.reason, v.refused, retry = refused, true, false
	}
	counts := retry || signed || !c.mustSign(tx)
	if counts {
		c.measure(now, tx, m.TransactionID)
	}
	switch {
	case retry && v.code == int(stun.CodeStaleNonce):
		c.renewFor(tx, ch)
		c.resign(now, tx)
	case retry:
		c.challenged(now, tx, ch)
	case counts || c.Stream():
		c.end(now, tx, v)
	default:
		c.hold(tx, v)
	}
}

// answersChallenge: an unsigned request that is challenged is signed; a signed
// one only if the credentials have changed since:
//
//	"The client MUST NOT perform this retry if it is not changing the USERNAME,
//	USERHASH, REALM, or its associated password from the previous attempt."
//
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.5
func (c *Client) answersChallenge(tx *transaction, ch challenge) bool {
	if c.phase == PhaseClosing && tx.purpose == forAllocate {
		return false // C4: nothing more is sent
	}
	if tx.signer == nil {
		return ch.complete() && c.hasCredentials() && tx.purpose != forBind // it authenticates as the control connection did
	}
	return tx.signer != c.auth.signer && len(tx.elders) < maxResigned
}

// renews: "the client MUST retry the request, using the new NONCE attribute
// supplied in the 438 (Stale Nonce) response."
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.5
func (c *Client) renews(tx *transaction, ch challenge) bool {
	return tx.signer != nil && len(tx.elders) < maxResigned && len(ch.nonce) > 0 &&
		(tx.nonceAge != c.auth.nonceAge || string(ch.nonce) != c.nonceOf(tx))
}

// hold keeps an unsigned error: it takes effect when the request has been sent
// once more and no valid answer has come within that send's time-out.
func (c *Client) hold(tx *transaction, v verdict) {
	c.stats.HeldErrors++
	if tx.held == nil {
		tx.held, tx.heldSends = &v, tx.sends
	}
}

// challenged signs the request that was challenged.
func (c *Client) challenged(now time.Duration, tx *transaction, ch challenge) {
	if tx.signer == nil {
		c.accept(ch)
	}
	switch tx.purpose {
	case forAllocate:
		c.become(PhaseAuthenticated)
	default: // the server asks for credentials: a release without them proves nothing (I7)
		c.lease.signed = true
	}
	c.resign(now, tx)
	c.touchParting()
}

// succeeded hands a success on.
func (c *Client) succeeded(now time.Duration, tx *transaction, m *message) {
	switch tx.purpose {
	case forAllocate:
		c.allocateSucceeded(now, tx, m)
	case forRefresh, forProbe:
		c.refreshSucceeded(now, tx, m)
	case forPermission:
		c.permissionSucceeded(now, tx)
	case forChannel:
		c.channelSucceeded(now, tx)
	case forRelease:
		c.releaseSucceeded(now, tx, m)
	case forReclaim:
		c.reclaimSucceeded(now)
	case forMove:
		c.moveSucceeded(now, tx, m)
	case forConnect:
		c.connectSucceeded(now, tx, m)
	case forBind:
		c.bindSucceeded(tx)
	}
}

// failed hands a failure on.
func (c *Client) failed(now time.Duration, tx *transaction, v verdict) {
	switch tx.purpose {
	case forAllocate:
		c.allocateFailed(now, tx, v)
	case forRefresh, forProbe:
		c.refreshFailed(now, tx, v)
	case forPermission:
		c.permissionFailed(now, tx, v)
	case forChannel:
		c.channelFailed(now, tx, v)
	case forRelease:
		c.releaseFailed(now, tx, v)
	case forReclaim:
		c.reclaimFailed(now, tx, v)
	case forMove:
		c.moveFailed(now, tx, v)
	case forConnect:
		c.connectFailed(now, tx, v)
	case forBind:
		c.connectionFailed(c.numbered(tx.number), &v)
	}
}
