package turntest

import (
	"math/rand/v2"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// rollDistance makes some worlds wide: 0.6 to 3 s to the server and back. Its
// dice are its own, so that the other worlds stay what they were.
func (p *plan) rollDistance() {
	dice := rand.New(rand.NewPCG(p.seed, 0x64697374))
	if dice.IntN(6) > 0 {
		return
	}
	p.wide = true
	p.network.DelayMin = pick(dice, 300*time.Millisecond, 600*time.Millisecond, 1200*time.Millisecond)
	p.network.DelayMax = p.network.DelayMin + pick(dice, 20*time.Millisecond, 300*time.Millisecond)
}

// rollRoundTrip lets clients of wide worlds, and a few others, begin with what is
// known of the way, rightly or wrongly.
func rollRoundTrip(p *plan, cfg *client.Config) {
	dice := rand.New(rand.NewPCG(p.seed, 0x72747472))
	if p.wide {
		cfg.RTO = pick(dice, 0, time.Second, 4*time.Second)
	}
	if dice.IntN(3) == 0 {
		cfg.MinRTO = pick(dice, 5*time.Millisecond, 50*time.Millisecond, 2*time.Second)
	}
	if dice.IntN(6) == 0 {
		cfg.RoundTrip = pick(dice, client.RoundTrip{Smoothed: time.Second, Variation: 250 * time.Millisecond},
			client.RoundTrip{Smoothed: 80 * time.Millisecond, Variation: 10 * time.Millisecond}, client.RoundTrip{Smoothed: 5 * time.Second})
	}
}

// seenTrips are the bounds of what a client can have measured: the answers that
// came to requests which it had sent once.
type seenTrips struct {
	least, most time.Duration
	any         bool
}

func (t *seenTrips) add(trip time.Duration) {
	if !t.any || trip < t.least {
		t.least = trip
	}
	t.most, t.any = max(t.most, trip), true
}

// noteRoundTrip is called before the step's own sends are entered.
func (a *actor) noteRoundTrip(s *step) {
	if r := s.judged.request; s.kind == stepInput && r != nil && r.copies == 1 {
		a.trips.add(a.w.now - r.firstSent)
	}
}

// checkRTO is T6: what it is before anything was measured, and between what it
// can be once something was. SRTT lies between the least and the greatest round
// trip, RTTVAR below the greatest.
func (a *actor) checkRTO(s *step) {
	if a.closed != nil {
		return
	}
	a.noteRoundTrip(s)
	rto, cfg := a.m.RTO(), &a.plan.cfg
	least, most := a.initialRTO(), a.initialRTO()
	if a.trips.any {
		least = max(min(a.floorRTO(), time.Minute), min(a.trips.least, time.Minute))
		most = min(max(a.floorRTO(), 5*a.trips.most+2*time.Millisecond), time.Minute)
		least = min(least, a.initialRTO()) // it need not have counted
		most = max(most, a.initialRTO())
	}
	if cfg.RoundTrip.Smoothed > 0 {
		least, most = min(a.floorRTO(), a.initialRTO()), time.Minute
	}
	if rto < least || rto > most {
		a.w.violate(a, "T6", "the RTO is %v; it can be from %v to %v, with round trips from %v to %v", rto, least, most, a.trips.least, a.trips.most)
	}
	if rto > a.initialRTO() {
		a.w.report.Counters.add("RTO above the first")
	} else if rto < a.initialRTO() {
		a.w.report.Counters.add("RTO below the first")
	}
}

// initialRTO is the one before anything was measured.
func (a *actor) initialRTO() time.Duration {
	if a.plan.cfg.RTO > 0 {
		return a.plan.cfg.RTO
	}
	return 500 * time.Millisecond
}

func (a *actor) floorRTO() time.Duration {
	if a.plan.cfg.MinRTO > 0 {
		return a.plan.cfg.MinRTO
	}
	return a.initialRTO()
}

// checkHaste is T1: not sooner than the RTO that the request began with, doubled
// for each copy.
func (a *actor) checkHaste(r *sentRequest) {
	if due := r.lastSent + r.rto<<(r.copies-1); a.w.now < due {
		a.w.violate(a, "T1", "copy %d of tx=%s, a %v, is sent at %v, and is due at %v", r.copies+1, r.ID.String()[:8], r.Method, a.w.now, due)
	}
}
