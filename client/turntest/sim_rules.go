package turntest

import (
	"errors"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// stepKind is what kind of call a step makes.
type stepKind uint8

const (
	stepInput stepKind = iota
	stepTimeout
	stepEarly // HandleTimeout when nothing is due
	stepCommand
	stepClose
)

// step is one call into a machine, with what came out in the drain after it.
type step struct {
	kind   stepKind
	name   string // of a command
	err    error  // what a command answered
	packet Packet
	judged judgement
	state  closeState // that a Close met
	linger time.Duration
	// The newest before the call.
	last, allocate, refresh *sentRequest

	woke          *view // before a snapshot from which it was restored
	before, after view
	sent          []client.Transmit
	events        []client.Event
	endless       bool
}

// rules are the invariants of every run, each judged after every step. Those
// that are about single datagrams and events stand in checkSent and checkEvent.
var rules = []func(a *actor, s *step){
	(*actor).checkDrainEnds,    // I1
	(*actor).checkProgress,     // I2
	(*actor).checkFuture,       // I3
	(*actor).checkPhaseChange,  // I7
	(*actor).checkNothingAfter, // I8
	(*actor).checkRefused,      // a refused command changes nothing
	(*actor).checkEarly,        // a wake that is not due is harmless
	(*actor).checkCounted,      // everything that comes in is counted
	(*actor).checkMemory,       // I11
	(*actor).checkHeldError,    // A10
	(*actor).checkAccepted,     // L1
	(*actor).checkLateSuccess,  // C14
	(*actor).checkRevived,      // C6
	(*actor).checkLost,         // L7
	(*actor).checkOwed,         // C14
	(*actor).checkRedirected,   // L6
	(*actor).checkRTO,          // T6
}

func (a *actor) checkStep(s *step) {
	for _, rule := range rules {
		rule(a, s)
	}
	for _, e := range s.events {
		a.checkEvent(e)
	}
	a.noteTicket(s)
	for _, t := range s.sent {
		a.checkMoving(t, s)
		a.checkSent(t)
	}
	a.checkResendsCome(s)
	a.checkOutstanding()
	a.checkRetried(s)
	a.checkWishes(s)
	a.checkClose(s)
	a.countStaleBlind(s)
	a.w.report.Counters.add("phase " + s.after.phase.String())
}

// I1: draining ends.
func (a *actor) checkDrainEnds(s *step) {
	if s.endless {
		a.w.violate(a, "I1", "after %d polls there is still something to drain", maxDrained)
	}
}

// I2: the announced deadline makes progress: a client that does something has
// one, and wakes do not go on for ever without an effect.
func (a *actor) checkProgress(s *step) {
	const tooMany = 500
	if s.kind == stepTimeout && len(s.sent) == 0 && len(s.events) == 0 && s.before.phase == s.after.phase {
		a.barren++
	} else {
		a.barren = 0
	}
	if a.barren > tooMany {
		a.w.violate(a, "I2", "%d wakes in a row had no effect; the next is for %q", a.barren, a.m.TimeoutReason())
	}
	if busy := s.after.phase != client.PhaseNew && s.after.phase != client.PhaseClosed; busy && !s.after.timer.armed && !a.waitingAfter(s) {
		a.w.violate(a, "I2", "nothing is to wake it in phase %v", s.after.phase)
	}
}

// waitingAfter: the machine waits for its host to open a port.
func (a *actor) waitingAfter(s *step) bool {
	for _, e := range s.events {
		if e.Kind == client.NeedNewPort || e.Kind == client.FlowNeeded {
			return true
		}
	}
	return a.waiting || a.owesFlow
}

// I3: after a drain the next deadline is in the future. Where the host's timer
// is late, so that one was overdue before an input, it may be so after it; the
// wake that follows has to do all that is due.
func (a *actor) checkFuture(s *step) {
	late := s.kind != stepTimeout && s.overdue(a)
	if s.after.timer.armed && s.after.timer.at <= a.w.now && !late {
		a.w.violate(a, "I3", "after the drain the next deadline is %v, for %q", s.after.timer.at, a.m.TimeoutReason())
	}
}

// I7: after credentials were sent no unauthenticated response changes the
// phase; data never does. 401 and 438 are apart: they are never signed.
func (a *actor) checkPhaseChange(s *step) {
	if s.kind != stepInput || s.before.phase == s.after.phase {
		return
	}
	if s.before.timer.armed && s.before.timer.at <= a.w.now {
		return // what was due by now may have been done with the input
	}
	j := s.judged
	switch {
	case s.says(client.StreamBroken):
	case j.message == nil, j.message.Class == Indication, j.message.Class == Request, j.request == nil, j.elsewhere:
		a.w.violate(a, "I7", "the phase went from %v to %v by a datagram that answers nothing", s.before.phase, s.after.phase)
	case j.authentic || j.doubtful || a.w.plan.stream: // there an error acts at once (A10), and one of wrong integrity ends what it answers (A9)
	default:
		if code, _ := j.message.ErrorCode(); j.message.Class != Failure || code != 401 && code != 438 {
			a.w.violate(a, "I7", "the phase went from %v to %v by an answer without valid integrity", s.before.phase, s.after.phase)
		}
	}
}

// I8: after Closed: nothing.
func (a *actor) checkNothingAfter(s *step) {
	if a.closed == nil {
		return
	}
	if len(s.sent) > 0 || len(s.events) > 0 || s.after.timer.armed || s.after.phase != client.PhaseClosed {
		a.w.violate(a, "I8", "after Closed: %d datagrams, %d events, wake %+v, phase %v",
			len(s.sent), len(s.events), s.after.timer, s.after.phase)
	}
	if s.kind == stepCommand && s.name != "PathError" && s.name != "FlowOpened" && s.name != "FlowClosed" && !errors.Is(s.err, client.ErrClosed) {
		a.w.violate(a, "I8", "%s after Closed answers %v", s.name, s.err)
	}
}

// "A command that answers an error has changed nothing."
func (a *actor) checkRefused(s *step) {
	if s.err != nil && (len(s.sent) > 0 || len(s.events) > 0 || s.before.phase != s.after.phase || s.after.timer != s.before.timer) {
		a.w.violate(a, "E1", "%s answers %q and yet: %d datagrams, %d events, %+v after %+v",
			s.name, s.err, len(s.sent), len(s.events), s.after, s.before)
	}
}

// "It is harmless when nothing is [due]."
func (a *actor) checkEarly(s *step) {
	if s.kind == stepEarly && (len(s.sent) > 0 || len(s.events) > 0 || s.after != s.before) {
		a.w.violate(a, "E2", "HandleTimeout before the deadline: %d datagrams, %d events, %+v after %+v",
			len(s.sent), len(s.events), s.after, s.before)
	}
}

// "Everything that is ignored is counted": each input is received, and one that
// can have no effect is found under a cause.
func (a *actor) checkCounted(s *step) {
	if s.kind != stepInput {
		return
	}
	stats := a.m.Stats()
	if stats.ReceivedMessages != a.inputs {
		a.w.violate(a, "stats", "%d datagrams came in, ReceivedMessages is %d", a.inputs, stats.ReceivedMessages)
	}
}

// checkOthers is C12: whatever one client does, no other's timer moves.
func (w *world) checkOthers(acting *actor, before []alarm) {
	for i, a := range w.actors[:len(before)] {
		if a == acting || a.trapped || a.asleep != nil {
			continue
		}
		if now := a.view().timer; now != before[i] {
			w.violate(a, "C12", "a step of %s moved its deadline from %+v to %+v", acting.name, before[i], now)
		}
	}
}

func (w *world) otherTimers(*actor) []alarm {
	out := make([]alarm, len(w.actors))
	for i, a := range w.actors {
		if !a.trapped && a.asleep == nil {
			out[i] = a.view().timer
		}
	}
	return out
}
