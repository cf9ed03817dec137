package turntest

import (
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// react does what a decent owner does about an event.
func (a *actor) react(e client.Event) {
	a.w.report.Counters.add("event " + e.Kind.String())
	if e.Until > 0 {
		a.claims = append(a.claims, claim{a.w.now, e.Until, e.Kind})
	}
	switch e.Kind {
	case client.Allocated:
		a.failed, a.lost, a.waiting, a.allocatedOnce = false, false, false, true
	case client.AllocateFailed:
		a.failed, a.waiting = true, false
		a.maybeRetry(e)
	case client.AllocationLost:
		a.lost = true
		if !a.plan.cfg.Reallocate {
			a.maybeRetry(e)
		}
	case client.NeedNewPort:
		a.waiting = true
		a.after(a.roll(200*time.Millisecond), "answer NeedNewPort", func(a *actor) { a.answerPort(e.Flow) })
	case client.FlowNeeded:
		a.needsFlow(e)
	case client.StreamBroken:
		a.brokenStream(e)
	case client.CredentialsExpired:
		a.after(a.roll(5*time.Second), "hand over the right password", (*actor).setRightPassword)
	case client.PartingChanged:
		a.checkParting()
	case client.Closed:
		a.closed, a.closedAt = &e, a.w.now
		a.w.report.Counters.add("outcome " + e.Outcome.String())
		a.w.planJudgement(a)
		a.succeedMaybe()
	}
}

func (a *actor) roll(d time.Duration) time.Duration { return time.Duration(a.w.rng.Int64N(int64(d))) }

func (a *actor) after(d time.Duration, name string, do func(a *actor)) {
	a.at(a.w.now+d, name, do)
}

// maybeRetry allocates again after a failure, a few times.
func (a *actor) maybeRetry(e client.Event) {
	if a.retries == 0 || a.closing != nil || a.w.ended {
		return
	}
	a.retries--
	a.after(e.RetryAfter+a.roll(3*time.Second), "allocate again", (*actor).allocate)
}

// answerPort opens another port, or gives up when it has done so too often.
func (a *actor) answerPort(flow client.Flow) {
	if !a.alive() || !a.waiting {
		return
	}
	a.waiting = false
	if a.ports == 0 {
		a.step(&step{kind: stepCommand, name: "FlowClosed"}, func(now time.Duration) { a.m.FlowClosed(now, flow) })
		return
	}
	a.ports--
	a.endStreams()
	delete(a.flows, a.flow)
	a.open(flow)
	a.ledger.release = nil
	a.step(&step{kind: stepCommand, name: "FlowOpened"}, func(now time.Duration) { a.m.FlowOpened(now, flow) })
}

func (a *actor) setRightPassword() {
	a.setCredentials(simUser, a.w.server.cfg.Users[simUser])
}

func (a *actor) setCredentials(username, password string) {
	if password == "" {
		return
	}
	a.passwords = append(a.passwords, credential{username, password, a.w.now, a.m.Phase() >= client.PhaseClosing})
	a.command("SetCredentials", func(now time.Duration) error {
		return a.m.SetCredentials(now, []byte(username), []byte(password))
	})
}

// command gives a command to the machine. One that is refused must have changed
// nothing, which the rules check.
func (a *actor) command(name string, call func(now time.Duration) error) {
	if a.trapped || a.crashed {
		return
	}
	s := &step{kind: stepCommand, name: name}
	a.step(s, func(now time.Duration) { s.err = call(now) })
	if s.err == nil {
		a.w.report.Counters.add("command " + name)
	} else {
		a.w.log.note(a, name+" is refused: "+s.err.Error())
		a.w.report.Counters.add("refused " + name)
	}
}

// bind asks for a channel and expects to hear of it.
func (a *actor) bind(peer netip.AddrPort) {
	a.command("BindChannel", func(now time.Duration) error {
		err := a.m.BindChannel(now, peer)
		if err == nil {
			a.wishFor(wish{MethodChannelBind, peer})
		}
		return err
	})
}

// unbind takes the wish back.
func (a *actor) unbind(peer netip.AddrPort) {
	a.command("UnbindChannel", func(now time.Duration) error {
		err := a.m.UnbindChannel(now, peer)
		if err == nil {
			a.wishes.settle(wish{MethodChannelBind, peer}, false)
		}
		return err
	})
}

func (a *actor) allocate() {
	a.failed, a.lost = false, false
	a.command("Allocate", func(now time.Duration) error { return a.m.Allocate(now) })
}

// trap is the end of the machine without a Close: the host ships the parting
// datagram that it kept, or not even that.
func (a *actor) trap() {
	if !a.alive() {
		return
	}
	parting, until, ok := a.m.Parting(a.w.now, nil)
	if ok && a.plan.ships {
		a.claims = append(a.claims, claim{a.w.now, until, client.Closed})
		a.ship(client.Transmit{Flow: parting.Flow, To: parting.To, Data: append([]byte(nil), parting.Data...)})
		a.w.report.Counters.add("trap shipped")
	} else if ok {
		a.w.report.Counters.add("trap lost")
	}
	a.crashed = ok && !a.plan.ships
	a.trapped, a.todo = true, nil
	a.endStreams()
	a.w.planJudgement(a)
	a.succeedMaybe()
}

// succeedMaybe starts another client on the port of one that is gone: an owner
// that declares the port its own, and so reclaims it.
func (a *actor) succeedMaybe() {
	w := a.w
	if len(w.actors) > 5 || w.ended || w.plan.clean || w.rng.IntN(2) == 0 {
		return
	}
	p := rollClient(w, w.rng)
	p.cfg.Reclaim, p.trapAt = w.rng.IntN(4) > 0, 0
	if w.plan.stream { // the next stream is from another port
		p.cfg.Reclaim = false
		w.join(len(w.actors), p)
		return
	}
	inside := a.flows[a.flow]
	a.flows = map[client.Flow]netip.AddrPort{}
	next := w.join(len(w.actors), p)
	next.flows[0] = inside
}
