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

func (a *actor) copiesAllowed() int {
	if a.plan.cfg.Rc > 0 {
		return a.plan.cfg.Rc
	}
	return 7
}

// A10: an unsigned error to a signed request is held; it has no effect at once.
// 401 and 438 are apart.
func (a *actor) checkHeldError(s *step) {
	j := s.judged
	if s.kind != stepInput || j.request == nil || j.authentic || j.message.Class != Failure || !j.request.Signed() || s.overdue(a) {
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
	return ok && has && lifetime > 0 && len(m.Unknown()) == 0 && relayed.Addr().Is6() == wants6
}
