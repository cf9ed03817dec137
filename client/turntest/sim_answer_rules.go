package turntest

import "github.com/turnwasm/turnwasm/client"

// disturb notes that what is in flight may end here without an answer.
func (l *ledger) disturb() {
	for _, r := range l.requests {
		r.disturbed = true
	}
}

// T3: a retransmission has the same transaction ID. A new Allocate while the
// one before has had no answer and has copies left is a retransmission with a
// new ID.
func (a *actor) checkNewAllocate() {
	before := a.ledger.allocate
	if before == nil || before.disturbed || before.copies >= a.copiesAllowed() || a.closed != nil {
		return
	}
	a.w.violate(a, "T3", "a new Allocate, although tx=%s (%d copies) is not over", before.ID.String()[:8], before.copies)
}

// copiesAllowed is T1, and T2: over a stream a request is sent once.
func (a *actor) copiesAllowed() int {
	if a.w.plan.stream {
		return 1
	}
	return a.configuredCopies()
}

func (a *actor) configuredCopies() int {
	if a.plan.cfg.Rc > 0 {
		return a.plan.cfg.Rc
	}
	return 7
}

// A10: an unsigned error to a signed request is held; it has no effect at once.
// 401 and 438 are apart.
func (a *actor) checkHeldError(s *step) {
	j := s.judged
	if a.w.plan.stream || s.kind != stepInput || j.request == nil || j.authentic || j.message.Class != Failure || !j.request.Signed() || s.overdue(a) {
		return
	}
	code, _ := j.message.ErrorCode()
	if code == 401 || code == 438 {
		return
	}
	for _, e := range s.events {
		if e.Code == code && e.Method != 0 {
			a.w.violate(a, "A10", "an unsigned %d to a signed %v is believed at once: %v", code, j.request.Method, e.Kind)
		}
	}
}

// overdue: the host's timer is late, so that what was due may have been done
// with the input.
func (s *step) overdue(a *actor) bool { return s.before.timer.armed && s.before.timer.at <= a.w.now }

// L1: a valid, usable success to the Allocate in flight, if it is the first
// answer to it, makes the allocation, whatever SetCredentials said meanwhile.
func (a *actor) checkAccepted(s *step) {
	j := s.judged
	if s.kind != stepInput || !j.authentic || j.late || j.request != a.ledger.allocate || j.message.Class != Success || a.closing != nil {
		return
	}
	if s.before.phase != client.PhaseAllocating && s.before.phase != client.PhaseAuthenticated || !a.usable(j.message) || s.overdue(a) {
		return
	}
	if s.after.phase != client.PhaseAllocated {
		a.w.violate(a, "L1", "a valid success to the Allocate in flight leaves phase %v", s.after.phase)
	}
}

// usable: the success has what C14 asks for.
func (a *actor) usable(m *Message) bool {
	relayed, ok := m.Address(AttrXORRelayedAddress)
	lifetime, has := m.Lifetime()
	wants6 := a.plan.cfg.Family == client.FamilyIPv6
	return ok && has && lifetime > 0 && len(m.Unknown()) == 0 && (relayed.Addr().Is6() == wants6 || a.plan.cfg.Family == client.FamilyBoth)
}

// C14: a late valid success to the Allocate that was given up is released; C5:
// so is one that comes while the Close is under way.
func (a *actor) checkLateSuccess(s *step) {
	j := s.judged
	if s.kind != stepInput || !j.authentic || j.again || j.request.key == nil || j.request != s.allocate || j.message.Class != Success {
		return
	}
	if s.before.phase != client.PhaseNew && s.before.phase != client.PhaseClosing || s.overdue(a) {
		return
	}
	a.w.report.Counters.add("late success in phase " + s.before.phase.String())
	if !s.releases() && !(s.before.phase == client.PhaseClosing && a.waitsForRefresh()) {
		a.w.violate(a, "C14", "a late success to tx=%s, an Allocate, is not released in phase %v", j.request.ID.String()[:8], s.before.phase)
	}
}

// releases: the step sent a release.
func (s *step) releases() bool {
	for _, t := range s.sent {
		if m, err := Decode(t.Data); err == nil && m.isRelease() {
			return true
		}
	}
	return false
}

const staleBlind = "438 to a blind release"

// countStaleBlind counts the releases that the server refused with 438 when
// nobody waited for their answer any more. That they are not sent again is C1;
// that their event said until when the allocation lives is I10.
func (a *actor) countStaleBlind(s *step) {
	j := s.judged
	if s.kind != stepInput || j.request == nil || j.elsewhere || !j.request.isRelease() || s.before.phase == client.PhaseClosing {
		return
	}
	if code, _ := j.message.ErrorCode(); code == 438 && !s.packet.Forged && !s.releases() {
		a.w.report.Counters.add(staleBlind)
	}
}
