package turntest

import (
	"time"
)

// checkEnd judges what is left when nothing happens any more.
//
// I10: after the run the server holds no allocation of ours, unless Closed or
// AllocateFailed (or what else carries one) said so, with its Until.
func (w *world) checkEnd() {
	for _, a := range w.actors {
		if a.alive() {
			w.violate(a, "C2", "the run is over and Closed never came, in phase %v", a.m.Phase())
		}
	}
	for _, h := range w.server.Held() {
		w.checkHeld(h)
	}
}

// planJudgement looks at what the server holds of a client's as soon as all
// that it sent has arrived and late deletions are done: later on a leak may
// have run out by itself.
func (w *world) planJudgement(a *actor) {
	after := w.plan.network.slowest() + w.server.cfg.DeleteLate + time.Second
	w.chore(max(w.now, a.streamsUnderWay())+after, "judge "+a.name, func(w *world) {
		w.server.Tick(w.now)
		for _, h := range w.server.Held() {
			if maker, _ := w.maker(h); maker == a && !h.Dying {
				w.checkHeld(h)
			}
		}
	})
}

func (w *world) checkHeld(h Holding) {
	a, r := w.maker(h)
	if a == nil {
		w.violate(&actor{name: "world"}, "I10", "an allocation that no client of ours asked for: %+v", h)
		return
	}
	sent := w.ledger.arrivals[arrival{h.Touch.By, h.Touch.At}]
	if a.said(h, sent) {
		w.report.Counters.add("held, and said so")
		return
	}
	if why := w.excuse(a, r, h, sent); why != "" {
		w.report.Counters.add("excused: " + why)
		return
	}
	outcome := "no Closed"
	if a.closed != nil {
		outcome = describeEvent(*a.closed)
	}
	w.violate(a, "I10", "%v is held until %v by copy %d of tx=%s (sent %v, handled %v); %s at %v",
		h.Client, h.ExpiresAt, h.Touch.Copy, h.Touch.By.String()[:8], sent, h.Touch.At, outcome, a.closedAt)
}

// maker finds whose request gave the allocation its lifetime.
func (w *world) maker(h Holding) (*actor, *sentRequest) {
	for _, a := range w.actors {
		if r := a.ledger.requests[h.Touch.By]; r != nil {
			return a, r
		}
	}
	return nil, nil
}

// said: an event that came after the request was sent carries an Until that
// covers the lifetime which the server grants. Until counts from the last
// sending, the lifetime from an arrival: the way lies between them. And an
// answer to a later copy of an Allocate tells what is left of the lifetime in
// whole seconds, so that a second is lost in it.
func (a *actor) said(h Holding, sent time.Duration) bool {
	covered := h.ExpiresAt - a.w.plan.network.slowest() - time.Second - a.w.lateOnStream(h, sent)
	for _, c := range a.claims {
		if c.at >= sent && c.until >= covered {
			return true
		}
	}
	return false
}

// excuse names why no client could have known; "" when it could.
//
// The exceptions are few and narrow:
//   - crashed: the machine was dropped without a Close, and nothing was shipped,
//     or there was nothing to ship because it had signed nothing (C16).
//   - rebound: a NAT gave the client another public address after the request,
//     and the one that the server knows leads nowhere.
//   - heard twice: the client sent the request once, the network delivered it
//     twice, the server accepted one and refused the other, and only the refusal
//     arrived (C5: an error after a single copy is taken at its word).
//   - late copy: a further copy of a request that the server had handled before,
//     and no answer to this one reached the client before Closed.
//   - slow copy: the network held the copy back for longer than the client's
//     RTO, and no answer to it reached the client before Closed.
func (w *world) excuse(a *actor, r *sentRequest, h Holding, sent time.Duration) string {
	if a.crashed || a.trapped && !r.Signed() {
		return "crashed"
	}
	if at, ok := w.network.Rebound[h.Client]; ok && at >= sent {
		return "rebound"
	}
	for _, at := range r.granted {
		if at >= h.Touch.At {
			return ""
		}
	}
	switch {
	case r.copies == 1 && r.answered && len(r.granted) == 0 && r.Method == MethodAllocate:
		return "heard twice"
	case h.Touch.Copy > 1:
		return "late copy"
	case h.Touch.At-sent >= min(r.rto, a.m.RTO()):
		return "slow copy"
	}
	return ""
}
