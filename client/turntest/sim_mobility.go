package turntest

import (
	"math/rand/v2"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// rebind is a change of the local address that a client plans.
type rebind struct {
	at     time.Duration
	answer time.Duration // from FlowNeeded to the owner's answer
	kind   rebindKind
}

type rebindKind uint8

const (
	rebindBoth   rebindKind = iota // the old socket stays
	rebindClosed                   // it is gone before the new one is there
	rebindFails                    // there is no other
	rebindKindCount
)

// rollMobility rolls with dice of its own, so that worlds in which nobody moves
// are what they would be without it.
func (p *plan) rollMobility() *rand.Rand {
	dice := rand.New(rand.NewPCG(p.seed, 0x6d6f7665))
	p.mobile = dice.IntN(3) == 0
	p.server.Mobility, p.server.ForbidMobility = dice.IntN(4) > 0, dice.IntN(8) == 0
	return dice
}

func (c *clientPlan) rollMoves(w *world, dice *rand.Rand) {
	if !w.plan.mobile {
		return
	}
	c.cfg.Mobility = dice.IntN(8) > 0
	for range 1 + dice.IntN(3) {
		c.rebinds = append(c.rebinds, rebind{
			at:     time.Duration(dice.Int64N(int64(w.plan.script))),
			answer: pick(dice, 0, time.Millisecond, 100*time.Millisecond, 2*time.Second),
			kind:   rebindKind(dice.IntN(int(rebindKindCount))),
		})
	}
}

func (a *actor) planRebinds() {
	for _, r := range a.plan.rebinds {
		a.at(r.at, "rebind", func(a *actor) { a.rebind(r) })
	}
}

func (a *actor) rebind(r rebind) {
	a.rebinding = r
	a.command("Rebind", a.m.Rebind)
}

// needsFlow: the machine asks for another flow.
func (a *actor) needsFlow(e client.Event) {
	a.owesFlow, a.waiting = true, Method(e.Method) == MethodAllocate
	r := a.rebinding
	if a.w.plan.stream {
		r = a.answersStream()
	}
	a.after(r.answer, "answer FlowNeeded", func(a *actor) { a.answerFlow(e.Flow, r.kind) })
}

func (a *actor) answerFlow(flow client.Flow, kind rebindKind) {
	if !a.alive() {
		return
	}
	if kind == rebindFails {
		a.owesFlow, a.waiting = false, false
		a.tellFlow("FlowClosed", flow, a.m.FlowClosed)
		return
	}
	if kind == rebindClosed {
		old := a.flow
		delete(a.flows, old)
		a.tellFlow("FlowClosed", old, a.m.FlowClosed)
	}
	a.owesFlow, a.waiting = false, false
	a.open(flow)
	if a.closing == nil { // else nobody wants it any more
		a.ledger.adrift = a.ledger.moving
		a.ledger.release = nil
	}
	a.tellFlow("FlowOpened", flow, a.m.FlowOpened)
}

func (a *actor) tellFlow(name string, flow client.Flow, tell func(time.Duration, client.Flow)) {
	a.step(&step{kind: stepCommand, name: name}, func(now time.Duration) { tell(now, flow) })
	a.w.report.Counters.add("command " + name)
}

// noteMove keeps the observer's books of a move: from FlowNeeded to its end no
// data is sent (L9).
func (a *actor) noteMove(e client.Event) {
	l := &a.ledger
	switch e.Kind {
	case client.FlowNeeded:
		l.disturb()
		l.overtake(anyRequest)
		l.moving = Method(e.Method) == MethodRefresh
	case client.Rebound, client.RebindFailed, client.AllocationLost, client.Closed:
		l.moving = false
		l.adrift = l.adrift && e.Kind == client.Closed
		l.disturb()
	}
}

// checkMoving is L9: no data, and no request but the move's, until its answer.
func (a *actor) checkMoving(t client.Transmit, s *step) {
	if !a.ledger.moving || a.closing != nil || s.settlesMove() {
		return
	}
	m, err := Decode(t.Data)
	if err == nil && m.Class == Request && m.Method == MethodRefresh && m.Has(AttrMobilityTicket) {
		return
	}
	a.w.violate(a, "L9", "during the move it sends %s", Describe(t.Data, a.keyFor(t.Data)))
}

// settlesMove: the events of the step end the move, or begin it.
func (s *step) settlesMove() bool {
	for _, e := range s.events {
		switch e.Kind {
		case client.FlowNeeded, client.Rebound, client.RebindFailed, client.AllocationLost:
			return true
		}
	}
	return false
}

// checkTicket is L9: "it MUST use the new ticket", and none where the address
// has not changed. https://www.rfc-editor.org/rfc/rfc8016#section-3.2.2
func (a *actor) checkTicket(m *Message, flow client.Flow) {
	value, shown := m.Get(AttrMobilityTicket)
	if !shown || m.Method != MethodRefresh || a.ledger.requests[m.ID] != nil {
		return
	}
	if string(value) != a.ledger.ticket {
		a.w.violate(a, "L9", "a Refresh shows the ticket %q, the newest is %q", value, a.ledger.ticket)
	}
	if flow == a.ledger.ticketFlow {
		a.w.violate(a, "L9", "a Refresh shows a ticket on the flow %d, which is the allocation's", flow)
	}
}

// noteTicket keeps the newest ticket that arrived. A success to an Allocate that
// comes when there is an allocation, an elder's, is passed over.
func (a *actor) noteTicket(s *step) {
	if m := s.judged.message; m != nil && m.Method == MethodAllocate && !s.says(client.Allocated) {
		return
	}
	if j := s.judged; s.kind == stepInput && j.authentic && !j.elsewhere && j.message.Class == Success && j.message.Has(AttrMobilityTicket) {
		a.ledger.ticket, a.ledger.adrift = j.message.Text(AttrMobilityTicket), false
		a.ledger.ticketFlow, _ = a.flowOf(s.packet.Inside)
	}
}

// says437Nothing is C8: "437 after a change of address without a ticket says
// nothing of the old allocation".
func (l *ledger) says437Nothing(r *sentRequest) bool {
	return l.adrift && r.isRelease() && !r.Has(AttrMobilityTicket)
}

// moveRefused: the server's own word that it moves nothing; where the old socket
// is gone there is nowhere left to release from.
func (s *step) moveRefused() bool {
	for _, e := range s.events {
		if e.Kind == client.RebindFailed && e.Signed && e.Code != 0 {
			return true
		}
	}
	return false
}
