package client

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/pion/stun/v3"
)

// purpose is why a request is made: what its end is handed to.
type purpose uint8

const (
	forAllocate purpose = iota
	forRefresh
	forProbe      // a Refresh that asks whether the allocation is still there (H8)
	forPermission // CreatePermission
	forChannel    // ChannelBind
	forRelease    // Refresh(LIFETIME=0) of what is ours
	forReclaim    // Refresh(LIFETIME=0) of what an earlier run left on the port
	forMove       // a Refresh with the mobility ticket, from another flow
	forConnect    // Connect (RFC 6062)
	forBind       // ConnectionBind, on a flow of its own

	purposeCount
)

var purposeNames = [purposeCount]string{
	"Allocate", "Refresh", "Refresh (probe)", "CreatePermission", "ChannelBind",
	"Refresh (release)", "Refresh (reclaim)", "Refresh (move)",
	"Connect", "ConnectionBind",
}

func (p purpose) String() string { return purposeNames[p] }

func (p purpose) method() stun.Method {
	switch p {
	case forAllocate:
		return stun.MethodAllocate
	case forPermission:
		return stun.MethodCreatePermission
	case forChannel:
		return stun.MethodChannelBind
	case forConnect:
		return stun.MethodConnect
	case forBind:
		return stun.MethodConnectionBind
	}
	return stun.MethodRefresh
}

type transactionID = [stun.TransactionIDSize]byte

// transaction is one request, from before its first send to its end. It owns
// its deadline, dueAt: the first send, a resend, or the end.
//
// It does not keep its bytes: they are most of what a client in flight costs,
// and few requests are sent twice. What they are built of does not change while
// it lives, so that each copy has the same bytes.
type transaction struct {
	id        transactionID
	purpose   purpose
	failures  uint8 // 5xx so far
	sends     uint8
	heldSends uint8  // sends when held came
	forged    bool   // an answer failed its integrity check
	ticketed  bool   // it shows the mobility ticket
	number    uint16 // forChannel, forConnect, forBind
	nonceAge  uint32 // auth.nonceAge when it was signed
	rto       uint32 // in ms: the first wait for an answer

	signer *credential // nil: unsigned
	nonce  string      // under which it was signed
	// elders are the IDs that it had before it was signed anew (438): a valid
	// answer to one of them is an answer.
	elders []transactionID

	firstAt time.Duration
	lastAt  time.Duration
	dueAt   time.Duration

	held  *verdict     // an unsigned error to a signed request (A10)
	peers []netip.Addr // forPermission
}

// sendFirst draws the ID and sends the first copy. It is false when there is no
// entropy, which ends the client.
func (c *Client) sendFirst(now time.Duration, tx *transaction) bool {
	id, ok := c.newID(now)
	if !ok {
		return false
	}
	tx.id, tx.nonce, tx.nonceAge = id, c.nonceOf(tx), c.auth.nonceAge
	tx.rto = uint32(c.RTO() / time.Millisecond)
	if tx.firstAt == 0 { // an elder's first send is the earliest that can count
		tx.firstAt = now
	}
	c.send(now, tx)
	return true
}

// send sends one copy:
//
//	"A client SHOULD retransmit a STUN request message starting with an interval
//	of RTO ("Retransmission TimeOut"), doubling after each retransmission."
//
// https://www.rfc-editor.org/rfc/rfc8489#section-6.2.1
func (c *Client) send(now time.Duration, tx *transaction) {
	tx.sends++
	tx.lastAt = now
	tx.dueAt = now + min(c.patience(tx), maxLifetime)
	if tx.sends > 1 {
		c.stats.Retransmissions++
	}
	c.noteSent(now, tx)
	c.transmitOn(c.flowOf(tx), c.build(tx))
	c.rearm()
}

// patience is how long an answer to the last copy is waited for: "doubling after
// each retransmission", and "after the last request, a duration equal to Rm times
// the RTO". https://www.rfc-editor.org/rfc/rfc8489#section-6.2.1
//
// The RTO is the one that it began with; the next request has not to do with how
// often this one was sent.
func (c *Client) patience(tx *transaction) time.Duration {
	rto := time.Duration(tx.rto) * time.Millisecond
	switch {
	case tx.purpose == forConnect:
		return max(c.cfg.lastWait, connectTimeout)
	case c.cfg.lastWait != 0:
		return c.cfg.lastWait
	case tx.sends >= c.cfg.rc:
		return rto * time.Duration(c.cfg.rm)
	}
	return rto << (tx.sends - 1)
}

// tickRequests resends, and ends what has waited long enough.
func (c *Client) tickRequests(now time.Duration) {
	for tx := c.dueRequest(now); tx != nil; tx = c.dueRequest(now) {
		switch {
		case tx.held != nil && tx.sends > tx.heldSends && !tx.patient():
			c.end(now, tx, *tx.held)
		case tx.sends < c.cfg.rc:
			c.send(now, tx)
		default:
			c.end(now, tx, c.timedOut(now, tx))
		}
	}
	c.pump(now)
}

// patient: an unsigned error proves nothing about a release, so it goes on to
// its end (C8). Without its ticket there is another to try.
func (tx *transaction) patient() bool { return tx.purpose == forRelease && !tx.refusesTicket(*tx.held) }

// timedOut is the verdict of silence.
func (c *Client) timedOut(now time.Duration, tx *transaction) verdict {
	switch {
	case tx.held != nil:
		return *tx.held
	case tx.forged:
		return verdict{reason: "integrity violated: no answer of " + c.cfg.server.String() + " carried a valid MESSAGE-INTEGRITY"}
	}
	return verdict{reason: "no answer from " + c.cfg.server.String() + ": sent " + strconv.Itoa(int(tx.sends)) + " times in " + (now - tx.firstAt).String()}
}

// end takes the transaction out and hands its failure on.
func (c *Client) end(now time.Duration, tx *transaction, v verdict) {
	c.remove(tx)
	if serverError(v.code) && tx.failures < maxServerErrors && (c.phase != PhaseClosing || tx.purpose == forRelease) {
		c.forgo(tx)
		c.settleRefused(tx, v)
		c.again(now, tx)
		return
	}
	c.failed(now, tx, v)
	c.pump(now)
}

// serverError: "If the error code is 500 through 599, the client MAY resend
// the request; clients that do so MUST limit the number of times they do this."
// https://www.rfc-editor.org/rfc/rfc8489#section-6.3.4
//
// 508 has a rule of its own.
func serverError(code int) bool { return code >= 500 && code < 600 && code != 508 }

// again makes the same request anew after a pause.
func (c *Client) again(now time.Duration, tx *transaction) {
	signer := tx.signer
	if signer != nil {
		signer = c.auth.signer
	}
	c.request(transaction{
		purpose: tx.purpose, signer: signer, failures: tx.failures + 1,
		peers: tx.peers, number: tx.number, ticketed: tx.ticketed,
	}, now+firstServerPause<<tx.failures)
}

// resign makes the same request anew at once, signed by the present signer
// under the present nonce.
func (c *Client) resign(now time.Duration, tx *transaction) {
	c.remove(tx)
	next := transaction{
		purpose: tx.purpose, signer: c.auth.signer, failures: tx.failures,
		elders: tx.elders, peers: tx.peers, number: tx.number, ticketed: tx.ticketed,
	}
	if tx.signer != nil {
		next.elders = append(next.elders, tx.id)
		next.firstAt, next.lastAt = tx.firstAt, tx.lastAt
	}
	c.request(next, now)
	c.pump(now)
}
