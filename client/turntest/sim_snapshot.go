package turntest

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// handOver is a plan to take a snapshot of a client, free it, and restore it
// after a while, in which nobody is there.
type handOver struct{ at, gap time.Duration }

// rollHandOvers: its dice are its own, so that worlds without are what they were.
func (c *clientPlan) rollHandOvers(w *world, index int) {
	dice := rand.New(rand.NewPCG(w.plan.seed, 0x736e6170+uint64(index)))
	if w.opts.Restore == nil || dice.IntN(3) > 0 {
		return
	}
	for range 1 + dice.IntN(12) {
		h := handOver{at: time.Duration(dice.Int64N(int64(w.plan.script)))}
		if !w.plan.clean {
			h.gap = pick(dice, 0, 0, 0, 0, 50*time.Millisecond, 2*time.Second, 40*time.Second, 6*time.Minute)
		}
		c.handOvers = append(c.handOvers, h)
	}
}

func (a *actor) planHandOvers() {
	for _, h := range a.plan.handOvers {
		a.at(h.at, "hand over", func(a *actor) { a.handOver(h.gap) })
	}
}

// asleep is a client that is a snapshot.
type asleep struct {
	snapshot  []byte
	since, to time.Duration
	before    view
}

// seen is what must be the same of the restored client.
type seen struct {
	view
	stats   client.Stats
	rto     time.Duration
	parting []byte
	until   time.Duration
	owed    bool
}

func (a *actor) seen() seen {
	t, until, owed := a.m.Parting(a.w.now, nil)
	return seen{a.view(), a.m.Stats(), a.m.RTO(), bytes.Clone(t.Data), until, owed}
}

func (s *seen) same(o *seen) bool {
	return s.view == o.view && s.stats == o.stats && s.rto == o.rto && bytes.Equal(s.parting, o.parting) && s.until == o.until && s.owed == o.owed
}

func (a *actor) handOver(gap time.Duration) {
	if !a.alive() || a.timer.armed && a.timer.at <= a.w.now {
		return // the host's timer is late: Restore would do at once what is due
	}
	before := a.seen()
	snapshot, err := a.m.Snapshot(a.w.now, nil)
	if after := a.seen(); !after.same(&before) {
		a.w.violate(a, "I12", "Snapshot has changed something")
	}
	if err != nil {
		if !errors.Is(err, client.ErrSnapshot) {
			a.w.violate(a, "I12", "Snapshot answers %v", err)
		}
		a.w.report.Counters.add("snapshot refused")
		return
	}
	a.w.report.Counters.add("snapshot taken")
	a.m.Free()
	if gap > 0 {
		a.asleep = &asleep{snapshot, a.w.now, a.w.now + gap, before.view}
		a.timer = alarm{}
		return
	}
	s := &step{kind: stepEarly, name: "restore"}
	a.restore(snapshot, 0)
	if after := a.seen(); !after.same(&before) {
		a.w.violate(a, "I12", "restored it is %+v, before it was %+v", after, before)
	}
	a.step(s, func(time.Duration) {})
	if len(s.sent)+len(s.events) > 0 {
		a.w.violate(a, "I12", "restored it has %d datagrams to send and %v to tell", len(s.sent), s.events)
	}
}

func (a *actor) restore(snapshot []byte, elapsed time.Duration) {
	m, err := a.w.opts.Restore(a.plan.cfg, a.w.now, elapsed, snapshot)
	if err != nil {
		panic("turntest: a snapshot is refused: " + err.Error())
	}
	a.m = m
}

// awake goes on where the snapshot was taken. What was due meanwhile is late, and
// nobody has heard the answers.
func (a *actor) awake() {
	z := a.asleep
	a.asleep = nil
	gap := a.w.now - z.since
	a.ledger.disturb()
	if a.ledger.retryBy > 0 {
		a.ledger.retryBy += gap
	}
	for w := range a.wishes.open {
		a.wishes.open[w] += gap
	}
	a.w.log.note(a, "restored")
	a.restore(z.snapshot, gap)
	a.w.report.Counters.add("snapshot restored later")
	a.step(&step{kind: stepTimeout, name: "restore", woke: &z.before}, func(time.Duration) {})
}
