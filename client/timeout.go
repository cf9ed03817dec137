package client

import (
	"strconv"
	"time"
)

// wakeKind says what a deadline is for.
type wakeKind uint8

const (
	wakeNever wakeKind = iota
	wakeSend
	wakeResend
	wakeGiveUp
	wakeLinger
	wakeRelease
	wakeRefresh
	wakeExpiry
	wakePermission
	wakeChannel
	wakeKeepalive
	wakeConnection
)

// wake is the earliest deadline and its reason.
type wake struct {
	at      time.Duration
	kind    wakeKind
	purpose purpose
	number  uint16 // of the channel; the place of the permission
}

// sooner keeps the earlier of the two; 0 is no deadline.
func (w *wake) sooner(other wake) {
	if other.at != 0 && (w.kind == wakeNever || other.at < w.at) {
		*w = other
	}
}

// rearm: a deadline may have changed.
func (c *Client) rearm() { c.stale = true }

// PollTimeout is the instant at which HandleTimeout is due; false: never.
func (c *Client) PollTimeout() (at time.Duration, ok bool) {
	if c.stale {
		c.next, c.stale = c.earliest(), false
	}
	return c.next.at, c.next.kind != wakeNever
}

// earliest: a request that waits for its turn wakes nobody; the end of another
// one does.
func (c *Client) earliest() wake {
	var w wake
	crowded := c.outstanding() >= maxRequests
	for _, tx := range c.requests {
		if tx.sends > 0 || !crowded || !tx.crowds() {
			w.sooner(c.wakeOf(tx))
		}
	}
	if c.closing != nil {
		w.sooner(wake{at: c.closing.until, kind: wakeLinger})
		w.sooner(wake{at: c.closing.waitUntil, kind: wakeRelease})
	}
	if c.phase != PhaseAllocated {
		return w
	}
	w.sooner(wake{at: c.alloc.expiresAt, kind: wakeExpiry})
	c.wakeOfConnections(&w)
	if c.moving() {
		return w
	}
	w.sooner(wake{at: c.alloc.refreshAt, kind: wakeRefresh})
	w.sooner(wake{at: c.keepaliveAt(), kind: wakeKeepalive})
	for i := range c.permissions {
		if p := &c.permissions[i]; !p.busy && c.permissionWanted(p) {
			w.sooner(wake{at: p.refreshAt, kind: wakePermission, number: uint16(i)})
		}
	}
	for i := range c.channels {
		if ch := &c.channels[i]; !ch.busy && ch.wanted {
			w.sooner(wake{at: ch.refreshAt, kind: wakeChannel, number: c.numberOf(i)})
		}
	}
	return w
}

func (c *Client) wakeOf(tx *transaction) wake {
	w := wake{at: tx.dueAt, kind: wakeResend, purpose: tx.purpose}
	switch {
	case tx.sends == 0:
		w.kind = wakeSend
	case tx.sends >= c.cfg.rc || tx.held != nil && tx.sends > tx.heldSends && !tx.patient():
		w.kind = wakeGiveUp
	}
	return w
}

// TimeoutReason says what PollTimeout's instant is for, as "resend Allocate".
func (c *Client) TimeoutReason() string {
	c.PollTimeout()
	switch w := c.next; w.kind {
	case wakeSend:
		return "send " + w.purpose.String()
	case wakeResend:
		return "resend " + w.purpose.String()
	case wakeGiveUp:
		return "give up " + w.purpose.String()
	case wakeLinger:
		return "end of the linger"
	case wakeRelease:
		return "release"
	case wakeRefresh:
		return "refresh allocation"
	case wakeExpiry:
		return "allocation expires"
	case wakeKeepalive:
		return "keep-alive"
	case wakeConnection:
		return "end of a connection's wait"
	case wakePermission:
		return "refresh permission " + c.permissions[w.number].addr.String()
	case wakeChannel:
		return "refresh channel 0x" + strconv.FormatUint(uint64(w.number), 16)
	}
	return ""
}

// HandleTimeout does what is due. It is harmless when nothing is.
func (c *Client) HandleTimeout(now time.Duration) {
	now = c.at(now)
	c.rearm()
	c.tickClosing(now)
	c.tickAllocation(now) // before the requests: no Refresh goes out beside the release of what expired
	c.tickRequests(now)
	c.tickPermissions(now)
	c.tickChannels(now)
	c.tickKeepalive(now)
	c.tickConnections(now)
}
