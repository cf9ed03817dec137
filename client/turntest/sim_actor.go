package turntest

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// actor is one client with the owner that drives it: its sockets, its one
// timer, and the commands that it still means to give.
type actor struct {
	w     *world
	index int
	name  string
	plan  clientPlan
	m     Machine

	flows            map[client.Flow]netip.AddrPort // open sockets
	flow             client.Flow                    // the newest
	streams          map[client.Flow]*stream
	todo             []task // commands, in order
	timer            alarm
	ledger           ledger
	closing          *closing // nil before Close
	closed           *client.Event
	closedAt         time.Duration
	trapped, crashed bool
	failed, lost     bool // since the last Allocate: AllocateFailed, AllocationLost
	waiting          bool // NeedNewPort was said and not answered
	ports, retries   int
	claims           []claim
	wishes           wishes
	passwords        []credential // all that the owner ever handed over
	allocatedOnce    bool
	allocated        bool // between Allocated and AllocationLost
	inputs           uint64
	signed           bool   // the server has signed an answer
	proven           bool   // and the client must have seen that
	algorithm        uint16 // the strongest under which the server has answered
	barren           int    // wakes in a row that changed nothing
	rebinding        rebind
	trips            seenTrips
	bursts           bool    // it binds many channels at once
	asleep           *asleep // nil: there is a machine
	owesFlow         bool    // FlowNeeded was said and not answered
}

// credential is what the owner handed over, and when.
type credential struct {
	username, password string
	at                 time.Duration
	refused            bool // by the machine, which was closing
}

// alarm is what PollTimeout last said.
type alarm struct {
	at    time.Duration
	armed bool
}

// task is a command that waits for its instant.
type task struct {
	at   time.Duration
	name string
	do   func(a *actor)
}

// closing is a Close under way.
type closing struct {
	at, by time.Duration // when it was called, when its linger ends
	linger time.Duration
	rto    time.Duration // of requests that would have begun then
	state  closeState
	silent bool // nothing was ever sent before it
	cut    bool // a second Close left it less time
	// released: a release has been sent since.
	released bool
	// reclaims: a release was under way, that of the reclaim.
	reclaims bool
}

// join brings a client into the world.
func (w *world) join(index int, p clientPlan) *actor {
	a := &actor{
		w: w, index: index, name: fmt.Sprintf("c%d", index), plan: p,
		flows: map[client.Flow]netip.AddrPort{}, streams: map[client.Flow]*stream{}, ports: p.ports, retries: p.retries,
		ledger: newLedger(), wishes: newWishes(), passwords: []credential{{username: simUser, password: p.password}},
	}
	m, err := w.opts.New(p.cfg)
	if err != nil {
		panic(fmt.Sprintf("turntest: seed %d: a configuration of the simulation's is refused: %v", w.plan.seed, err))
	}
	a.m = m
	a.open(0)
	a.planCommands()
	a.planRebinds()
	a.planHandOvers()
	a.planBurst()
	w.actors = append(w.actors, a)
	return a
}

// open makes a socket for a flow.
func (a *actor) open(flow client.Flow) {
	inside := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(1 + a.index)}), 5000+uint16(flow))
	a.flows[flow], a.flow = inside, flow
	if !a.w.network.Public(inside).IsValid() {
		a.w.network.Join(inside)
	}
	a.openStream(flow)
}

// alive: somebody still calls the machine.
func (a *actor) alive() bool { return a.closed == nil && !a.trapped && !a.crashed }

func (a *actor) owns(inside netip.AddrPort) bool {
	if a.trapped || a.crashed {
		return false
	}
	for _, addr := range a.flows {
		if addr == inside {
			return true
		}
	}
	return false
}

// next is what this client does next: a command or its timer.
func (a *actor) next() (at time.Duration, ok bool, do func()) {
	if a.trapped || a.crashed {
		return 0, false, nil
	}
	if a.asleep != nil {
		return a.asleep.to, true, a.awake
	}
	if len(a.todo) > 0 {
		at, ok, do = a.todo[0].at, true, a.doTask
	}
	if wake := a.timer.at + a.w.plan.jitter; a.timer.armed && (!ok || wake <= at) {
		at, ok, do = wake, true, a.wake
	}
	return at, ok, do
}

func (a *actor) doTask() {
	t := a.todo[0]
	a.todo = a.todo[1:]
	if a.trapped || a.crashed {
		return
	}
	a.w.log.note(a, t.name)
	t.do(a)
}

// at plans a command; those of one instant keep their order.
func (a *actor) at(when time.Duration, name string, do func(a *actor)) {
	i := len(a.todo)
	for i > 0 && a.todo[i-1].at > when {
		i--
	}
	a.todo = slices.Insert(a.todo, i, task{when, name, do})
}

func (a *actor) wake() {
	a.step(&step{kind: stepTimeout}, func(now time.Duration) { a.m.HandleTimeout(now) })
}

// receive hands a datagram to the machine, as the host of its socket would.
func (a *actor) receive(p Packet) {
	flow, ok := a.flowOf(p.Inside)
	if !ok || a.asleep != nil {
		return
	}
	a.w.log.input(a, p)
	s := &step{kind: stepInput, packet: p, judged: a.judge(p)}
	a.inputs++
	a.step(s, func(now time.Duration) { a.m.HandleInput(now, flow, p.From, p.Data) })
}

func (a *actor) flowOf(inside netip.AddrPort) (client.Flow, bool) {
	for flow, addr := range a.flows {
		if addr == inside {
			return flow, true
		}
	}
	return 0, false
}

// step is one call into the machine with the drain that follows, judged by
// every rule.
func (a *actor) step(s *step, call func(now time.Duration)) {
	w := a.w
	w.report.Steps++
	s.before, s.last, s.allocate, s.refresh = a.view(), a.ledger.last, a.ledger.allocate, a.ledger.refresh
	if s.woke != nil {
		s.before = *s.woke
	}
	others := w.otherTimers(a)
	call(w.now)
	a.drain(s)
	s.after = a.view()
	a.timer = s.after.timer
	w.log.deadline(a, a.timer.at, a.timer.armed)
	a.checkStep(s)
	w.checkOthers(a, others)
	a.settle(s)
}

// view is the state that can be seen from outside.
type view struct {
	phase client.Phase
	timer alarm
}

func (a *actor) view() view {
	v := view{phase: a.m.Phase()}
	v.timer.at, v.timer.armed = a.m.PollTimeout()
	return v
}

// drain polls until transmits and events are both empty, as the contract has
// it, and keeps copies.
func (a *actor) drain(s *step) {
	for range maxDrained {
		t, sent := a.m.PollTransmit()
		if sent {
			t.Data = append([]byte(nil), t.Data...)
			s.sent = append(s.sent, t)
			a.w.log.transmit(a, t)
		}
		e, happened := a.m.PollEvent()
		if happened {
			e.Data = append([]byte(nil), e.Data...)
			s.events = append(s.events, e)
			a.w.log.event(a, e)
		}
		if !sent && !happened {
			return
		}
	}
	s.endless = true
}

// settle does with the outputs what a host and an owner do.
func (a *actor) settle(s *step) {
	for _, e := range s.events {
		a.react(e)
	}
	for _, t := range s.sent {
		a.ship(t)
	}
	if a.closed != nil {
		a.endStreams()
	}
	a.maybeClose()
}

// ship sends a datagram from the socket of its flow, past the attacker.
func (a *actor) ship(t client.Transmit) {
	inside, ok := a.flows[t.Flow]
	if !ok {
		return
	}
	if st := a.streams[t.Flow]; st != nil {
		st.sendUp(t.Data)
		return
	}
	public := a.w.network.Public(inside)
	a.w.network.Send(a.w.now, Datagram{From: inside, To: t.To, Data: t.Data})
	a.w.forger.Provoke(a.w.network, a.w.now, public, a.w.plan.server.Addr, t.Data)
}
