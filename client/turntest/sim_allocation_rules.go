package turntest

import (
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// checkRevived is C6: a Refresh that the server obeyed while the Close is under
// way may have revived what the release deleted, so the release is sent again.
func (a *actor) checkRevived(s *step) {
	j := s.judged
	if s.kind != stepInput || s.before.phase != client.PhaseClosing || !j.authentic || j.again || s.overdue(a) {
		return
	}
	if j.request == s.refresh && j.message.Class == Success && !s.releases() && !a.waitsForRefresh() {
		a.w.violate(a, "C6", "tx=%s, a Refresh, succeeds while closing, and no release follows", j.request.ID.String()[:8])
	}
}

// waitsForRefresh is C6, too: before its first release a Close waits for the
// Refresh in flight, one RTO at most, so that it cannot revive what was released.
func (a *actor) waitsForRefresh() bool {
	return !a.closing.released && a.w.now < min(a.refreshOver(), a.closing.at+a.closing.rto)
}

// checkLost is L7: 437 to any other method than Allocate says that the
// allocation is gone.
func (a *actor) checkLost(s *step) {
	j := s.judged
	if s.kind != stepInput || s.before.phase != client.PhaseAllocated || !j.authentic || j.late || s.overdue(a) {
		return
	}
	code, _ := j.message.ErrorCode()
	r := j.request
	over := r.copies >= a.copiesAllowed() // it may have timed out
	if code != 437 || over || r.Method == MethodAllocate || r.isRelease() || r.firstSent < a.ledger.allocatedAt || len(j.message.Unknown()) > 0 {
		return
	}
	if !s.says(client.AllocationLost) {
		a.w.violate(a, "L7", "437 to tx=%s, a %v, and the allocation is not lost", r.ID.String()[:8], r.Method)
	}
}

func (s *step) says(kind client.EventKind) bool {
	for _, e := range s.events {
		if e.Kind == kind {
			return true
		}
	}
	return false
}

// checkOwed is C14: what may live on the server when the client turns away from
// it is released, once, beside the Until.
func (a *actor) checkOwed(s *step) {
	for _, e := range s.events {
		turnsAway := e.Kind == client.AllocateFailed || e.Kind == client.AllocationLost ||
			e.Kind == client.NeedNewPort && s.allocate != nil && s.allocate.Signed()
		if turnsAway && e.Until > 0 && !s.releases() && !s.moveRefused() && !a.gone() && !s.says(client.StreamBroken) {
			a.w.violate(a, "C14", "%v says that something may live until %v, and releases nothing", e.Kind, e.Until)
		}
	}
}

// checkReuse is C10: a port that has just released waits before it allocates
// again, because coturn answers 437 for 1 to 2 s.
func (a *actor) checkReuse(m *Message) {
	const pause = 2 * time.Second
	if a.w.plan.stream {
		return
	}
	if last := a.ledger.release; !m.Signed() && last != nil && a.w.now < last.firstSent+pause {
		a.w.violate(a, "C10", "an Allocate at %v after the release", a.w.now-last.firstSent)
	}
}

// checkRetried is L3: "a timed-out refresh is retried until local expiry".
func (a *actor) checkRetried(s *step) {
	patience := 10 * time.Second
	if a.bursts {
		patience += 10 * time.Minute // it may wait behind ten others that are not answered either
	}
	l := &a.ledger
	if s.after.phase != client.PhaseAllocated {
		l.retryBy = 0
		return
	}
	for _, e := range s.events {
		switch {
		case e.Kind == client.Refreshed:
			l.retryBy = 0
		case e.Kind == client.RefreshFailed && e.Code == 0:
			l.retryBy = max(a.w.now, a.refreshOver()) + patience
		}
	}
	if l.retryBy > 0 && a.w.now > l.retryBy {
		a.w.violate(a, "L3", "a Refresh was answered by silence, and no other is made by %v", l.retryBy)
	}
}

// refreshOver is when the last Refresh under way, beside the one that failed,
// will have ended: it asks for what a retry would ask for.
func (a *actor) refreshOver() (over time.Duration) {
	rm := a.plan.cfg.Rm
	if rm == 0 {
		rm = 16
	}
	most := 1<<(a.configuredCopies()-1) - 1 + rm // T1: RTOs from the first copy to the end
	for _, r := range a.ledger.requests {
		if r.Method == MethodRefresh && !r.isRelease() && !r.answered {
			over = max(over, r.firstSent+time.Duration(most)*r.rto)
		}
	}
	return over
}

// checkMaker is A6: "All requests after the initial Allocate must use the same
// username as that used to create the allocation".
// https://www.rfc-editor.org/rfc/rfc8656#section-5
func (a *actor) checkMaker(r *sentRequest) {
	if maker := a.ledger.maker; maker != "" && r.Method != MethodAllocate && r.Signed() && !r.By(maker) {
		a.w.violate(a, "A6", "a %v by %s on the allocation of %s", r.Method, a.userOf(r.Message), maker)
	}
}
