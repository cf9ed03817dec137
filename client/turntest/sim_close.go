package turntest

import (
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// closeState is the state in which a Close finds a client, finer than its
// phase.
type closeState uint8

const (
	closeNew closeState = iota
	closeAllocating
	closeAuthenticated
	closeAllocated
	closeRefreshing
	closeFailed
	closeLost
	closeWaiting
	closeReclaiming
	closeClosing
	closeClosed
	closeStateCount
)

var closeStateNames = [closeStateCount]string{
	"new", "allocating", "authenticated", "allocated", "refreshing", "failed", "lost",
	"waiting for a port", "reclaiming", "closing", "closed",
}

func (s closeState) String() string { return closeStateNames[s] }

// state is the state that the client is in, as its owner can tell.
func (a *actor) state() closeState {
	switch phase := a.m.Phase(); {
	case a.closed != nil:
		return closeClosed
	case a.closing != nil:
		return closeClosing
	case a.waiting:
		return closeWaiting
	case a.reclaiming():
		return closeReclaiming
	case phase == client.PhaseAllocating:
		return closeAllocating
	case phase == client.PhaseAuthenticated:
		return closeAuthenticated
	case phase == client.PhaseAllocated && a.ledger.refreshing():
		return closeRefreshing
	case phase == client.PhaseAllocated:
		return closeAllocated
	case a.failed:
		return closeFailed
	case a.lost:
		return closeLost
	}
	return closeNew
}

// reclaiming: a client that may reclaim, and has neither been allocated nor
// failed, has just sent a release.
func (a *actor) reclaiming() bool {
	last := a.ledger.last
	return a.plan.cfg.Reclaim && last != nil && last.isRelease() && !a.failed && !a.allocatedOnce
}

// maybeClose plans the Close when the state has come that the owner waits for.
func (a *actor) maybeClose() {
	if !a.alive() || a.closing != nil || a.plan.closeAt >= closeClosing || a.state() != a.plan.closeAt {
		return
	}
	if a.plan.closeAt == closeNew && a.w.rng.IntN(4) > 0 {
		return
	}
	a.plan.closeAt = closeStateCount
	a.after(a.plan.delay, "close", func(a *actor) { a.close(a.plan.linger) })
}

// close closes; it may be the second time.
func (a *actor) close(linger time.Duration) {
	if a.trapped || a.crashed {
		return
	}
	state := a.state()
	kind := "linger 0"
	if linger > 0 {
		kind = "linger"
	}
	a.w.report.Counters.add("close " + state.String() + ", " + kind)
	if state == closeRefreshing && linger > 0 && linger < a.m.RTO() {
		a.w.report.Counters.add("close refreshing, linger below the RTO")
	}
	if a.closing == nil {
		last := a.ledger.last
		reclaims := a.plan.cfg.Reclaim && last != nil && last.isRelease()
		a.closing = &closing{reclaims: reclaims, at: a.w.now, by: a.w.now + linger, linger: linger, rto: a.m.RTO(), state: state, silent: a.ledger.last == nil}
	}
	a.closing.cut = a.closing.cut || a.w.now+linger < a.closing.by
	a.closing.by = min(a.closing.by, a.w.now+linger)
	a.step(&step{kind: stepClose, state: state, linger: linger}, func(now time.Duration) { a.m.Close(now, linger) })
	if !a.plan.again {
		return
	}
	a.plan.again = false
	second := pick(a.w.rng, 0, 0, time.Second)
	a.after(a.roll(600*time.Millisecond), "close once more", func(a *actor) { a.close(second) })
}

// checkClose holds the rows on closing against a step.
func (a *actor) checkClose(s *step) {
	if s.kind == stepClose && s.linger == 0 && s.state < closeClosing {
		a.checkBlindClose(s)
	}
	if a.closing == nil {
		return
	}
	a.checkPipelined(s)
	a.checkResigned(s)
	for i, e := range s.events {
		if e.Kind != client.Closed {
			continue
		}
		if i != len(s.events)-1 {
			a.w.violate(a, "I8", "an event follows Closed")
		}
		a.checkClosed(e)
	}
	// C2: "Closed, which comes at the deadline at the latest".
	closedNow := len(s.events) > 0 && s.events[len(s.events)-1].Kind == client.Closed
	if a.closed == nil && !closedNow && (!s.after.timer.armed || s.after.timer.at > a.closing.by) {
		a.w.violate(a, "C2", "closing, its linger ends at %v, and the next wake is %+v", a.closing.by, s.after.timer)
	}
}

// C1: one drain after Close(now, 0) yields at most one datagram, and Closed.
func (a *actor) checkBlindClose(s *step) {
	if len(s.events) == 0 || s.events[len(s.events)-1].Kind != client.Closed {
		a.w.violate(a, "C1", "Close with linger 0 is not followed by Closed in its drain")
	}
	if len(s.sent) > 1 {
		a.w.violate(a, "C1", "Close with linger 0 sends %d datagrams", len(s.sent))
	}
	a.checkOneRelease(s)
	for _, t := range s.sent {
		if m, err := Decode(t.Data); err != nil || !m.isRelease() {
			a.w.violate(a, "C1", "Close with linger 0 sends %s", Describe(t.Data, nil))
		}
	}
}

// C1: where an allocation is known, or a signed Allocate is in flight, the
// datagram is there, and it is signed if the Allocate was.
func (a *actor) checkOneRelease(s *step) {
	owes := s.state == closeAllocated || s.state == closeRefreshing ||
		s.state == closeAuthenticated && !s.allocate.disturbed
	if !owes || s.overdue(a) {
		return
	}
	if len(s.sent) == 0 {
		a.w.violate(a, "C1", "Close with linger 0 in state %v sends nothing", s.state)
	} else if m, err := Decode(s.sent[0].Data); err == nil && s.allocate.Signed() && !m.Signed() {
		a.w.violate(a, "C1", "Close with linger 0 sends %s", Describe(s.sent[0].Data, nil))
	}
}

// checkClosed holds C3, C9 and C10 against the last event.
func (a *actor) checkClosed(e client.Event) {
	a.w.report.Counters.add("closed " + a.closing.state.String() + ": " + e.Outcome.String())
	owes := e.Outcome == client.Unconfirmed || e.Outcome == client.Abandoned
	switch {
	case e.Outcome < client.Released || e.Outcome > client.Abandoned:
		a.w.violate(a, "C9", "Closed says outcome %d", e.Outcome)
	case owes != (e.Until > 0):
		a.w.violate(a, "C9", "Closed{%v} says Until %v", e.Outcome, e.Until)
	case owes && e.Until <= a.closing.at:
		a.w.violate(a, "C9", "Closed{%v} says Until %v, which is past", e.Outcome, e.Until)
	case e.Outcome == client.Released && e.ReuseAfter != map[bool]time.Duration{false: 2 * time.Second}[a.w.plan.stream]:
		a.w.violate(a, "C10", "Closed{released} says ReuseAfter %v", e.ReuseAfter)
	case a.closing.silent && e.Outcome != client.NothingToRelease:
		a.w.violate(a, "C3", "nothing was ever sent, and Closed says %v", e.Outcome)
	}
	a.checkVerdict(e)
	a.checkCleanClose(e)
}

// checkCleanClose: "unconfirmed" is a failure wherever the release and one
// answer could pass; nearer than the linger, that is, and than the RTO: of two
// releases some servers answer the first alone.
func (a *actor) checkCleanClose(e client.Event) {
	c := a.closing
	if !a.w.plan.clean || a.w.plan.wide || c.cut || c.linger < 2*time.Second || e.Outcome == client.Released {
		return
	}
	if c.state == closeAllocated || c.state == closeRefreshing {
		a.w.violate(a, "C2", "in a world without faults an allocation was closed in state %v with linger %v: %v", c.state, c.linger, e.Outcome)
	}
}
