package turntest

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// deed is one thing that an owner may do with its client.
type deed struct {
	name string
	do   func(a *actor)
}

// deeds lists them, the common ones more than once.
func deeds() []deed {
	return []deed{
		{"permit", (*actor).doPermit}, {"permit", (*actor).doPermit},
		{"remove a permission", (*actor).doUnpermit},
		{"bind", (*actor).doBind}, {"bind", (*actor).doBind}, {"unbind", (*actor).doUnbind},
		{"bind and unbind in turn", (*actor).doCycle},
		{"send", (*actor).doSend}, {"send", (*actor).doSend}, {"send", (*actor).doSend}, {"send", (*actor).doSend},
		{"send in place", (*actor).doSendInPlace}, {"send in place", (*actor).doSendInPlace},
		{"send a run", (*actor).doSendRun}, {"send a run", (*actor).doSendRun},
		{"refresh", (*actor).doRefresh}, {"change credentials", (*actor).doCredentials},
		{"path error", (*actor).doPathError}, {"wake too early", (*actor).doEarly},
		{"look at the parting", (*actor).checkParting}, {"allocate", (*actor).allocate},
	}
}

// planCommands rolls what the owner will do, from the Allocate to the Close.
func (a *actor) planCommands() {
	rng, start, all := a.w.rng, a.w.now+a.roll(2*time.Second), deeds()
	a.at(start, "allocate", (*actor).allocate)
	left := max(a.w.plan.script-a.w.now, time.Second)
	for range 5 + rng.IntN(30) {
		d := all[rng.IntN(len(all))]
		a.at(a.w.now+a.roll(left), d.name, d.do)
	}
	if a.plan.trapAt > a.w.now {
		a.at(a.plan.trapAt, "trap", (*actor).trap)
	}
	if a.plan.closeAt == closeNew {
		a.at(start/2, "close before anything", func(a *actor) { a.maybeClose() })
	}
	if a.plan.closeAt == closeClosed {
		a.plan.again = true
	}
	a.at(a.w.now+left, "close at the script's end", func(a *actor) {
		if a.closing == nil {
			a.close(a.plan.linger)
		}
	})
}

func (a *actor) peer() netip.AddrPort { return a.w.peers[a.w.rng.IntN(len(a.w.peers))] }

func (a *actor) doPermit() {
	var ips []netip.Addr
	for range 1 + a.w.rng.IntN(4) {
		ips = append(ips, a.peer().Addr())
	}
	a.command("CreatePermission", func(now time.Duration) error {
		err := a.m.CreatePermission(now, ips...)
		for _, ip := range ips {
			if err == nil {
				a.wishFor(wish{MethodCreatePermission, netip.AddrPortFrom(ip, 0)})
			}
		}
		return err
	})
}

func (a *actor) doUnpermit() {
	ip := a.peer().Addr()
	a.command("RemovePermission", func(now time.Duration) error {
		err := a.m.RemovePermission(now, ip)
		if err == nil {
			a.wishes.settle(wish{MethodCreatePermission, netip.AddrPortFrom(ip, 0)}, false)
		}
		return err
	})
}

func (a *actor) doBind() {
	a.bind(a.peer())
}

func (a *actor) doUnbind() {
	a.unbind(a.peer())
}

// doCycle binds a channel, lets it go, and binds it again around the time at
// which it expires: where the quarantine of H3 matters.
func (a *actor) doCycle() {
	peer := a.peer()
	a.bind(peer)
	a.after(a.roll(time.Minute), "unbind again", func(a *actor) { a.unbind(peer) })
	a.after(8*time.Minute+a.roll(10*time.Minute), "bind the same peer again", func(a *actor) { a.bind(peer) })
}

func (a *actor) doSend() {
	peer, payload := a.peer(), make([]byte, a.w.rng.IntN(1200))
	a.command("Send", func(now time.Duration) error { return a.m.Send(now, peer, payload) })
}

func (a *actor) doSendInPlace() {
	peer, n := a.peer(), a.w.rng.IntN(1200)
	buf := make([]byte, client.Headroom+n+client.Tailroom)
	a.command("SendInPlace", func(now time.Duration) error {
		return a.m.SendInPlace(now, peer, buf, client.Headroom, client.Headroom+n)
	})
}

// RunSender is a machine that takes payloads of one size, back to back, in one
// call: it sends them as so many calls of Send would, up to the first that
// fails. Its error is that of the first payload.
type RunSender interface {
	SendRun(now time.Duration, peer netip.AddrPort, payloads []byte, size int) error
}

func (a *actor) doSendRun() {
	peer, size, n := a.peer(), 1+a.w.rng.IntN(300), 2+a.w.rng.IntN(20)
	a.command("Send", func(now time.Duration) error {
		if m, ok := a.m.(RunSender); ok {
			return m.SendRun(now, peer, make([]byte, n*size), size)
		}
		for i := range n {
			err := a.m.Send(now, peer, make([]byte, size))
			if i == 0 && err != nil {
				return err
			}
			if err != nil {
				break
			}
		}
		return nil
	})
}

func (a *actor) doRefresh() {
	a.command("Refresh", func(now time.Duration) error { return a.m.Refresh(now) })
}

// doCredentials hands over the right password, a wrong one for a while, or
// another user's.
func (a *actor) doCredentials() {
	switch roll := a.w.rng.IntN(6); {
	case a.w.plan.clean || roll < 3:
		a.setRightPassword()
	case roll < 5:
		a.setCredentials(simUser, "mistyped")
		a.after(a.roll(20*time.Second), "hand over the right password", (*actor).setRightPassword)
	default:
		a.setCredentials(simOther, otherSecret)
	}
}

func (a *actor) doPathError() {
	if a.w.plan.clean || a.w.plan.stream {
		return
	}
	a.ledger.disturb()
	a.step(&step{kind: stepCommand, name: "PathError"}, func(now time.Duration) { a.m.PathError(now, a.flow) })
	a.w.report.Counters.add("command PathError")
}

// doEarly calls HandleTimeout when nothing is due: "It is harmless when nothing
// is."
func (a *actor) doEarly() {
	if a.timer.armed && a.timer.at <= a.w.now {
		return
	}
	a.step(&step{kind: stepEarly}, func(now time.Duration) { a.m.HandleTimeout(now) })
}

// checkParting holds C16 against what the machine would send if it died now.
func (a *actor) checkParting() {
	if !a.alive() {
		return
	}
	before := a.view()
	t, until, ok := a.m.Parting(a.w.now, nil)
	if a.view() != before {
		a.w.violate(a, "C16", "Parting has changed the state")
	}
	a.w.report.Counters.add("parting looked at")
	if !ok {
		return
	}
	m, err := Decode(t.Data)
	switch {
	case err != nil || !m.isRelease():
		a.w.violate(a, "C16", "the parting is %s", Describe(t.Data, nil))
	case a.ledger.allocatedSigned() && a.keyOf(m) == nil:
		a.w.violate(a, "C16", "the parting is not signed: %s", Describe(t.Data, nil))
	case until <= a.w.now:
		a.w.violate(a, "C16", "the parting's until is %v", until)
	}
}

// chore is something that happens to the world itself.
type chore struct {
	at   time.Duration
	name string
	do   func(w *world)
}

// planChores rolls a few of them, in the order of their instants.
func (w *world) planChores() {
	kinds := []chore{{name: "peers talk", do: (*world).peersTalk}, {name: "peer ICMP", do: (*world).peerICMP}}
	if !w.plan.clean {
		kinds = append(kinds, chore{name: "NAT rebinding", do: (*world).rebind},
			chore{name: "network down", do: (*world).down},
			chore{name: "password changed", do: (*world).changePassword})
	}
	var at time.Duration
	for n := w.rng.IntN(8); n > 0; n-- {
		at += time.Duration(w.rng.Int64N(int64(w.plan.script) / 3))
		c := kinds[w.rng.IntN(len(kinds))]
		w.chore(at, c.name, c.do)
	}
}

// chore plans something; what happens at one instant keeps its order.
func (w *world) chore(at time.Duration, name string, do func(w *world)) {
	i := len(w.chores)
	for i > 0 && w.chores[i-1].at > at {
		i--
	}
	w.chores = slices.Insert(w.chores, i, chore{at, name, do})
}

func (w *world) doChore() {
	c := w.chores[0]
	w.chores = w.chores[1:]
	if !strings.HasPrefix(c.name, "judge") {
		w.report.Counters.add("world " + c.name)
	}
	w.log.note(&actor{name: "world"}, c.name)
	c.do(w)
}

// peersTalk sends something from every peer to every relayed address.
func (w *world) peersTalk() {
	for _, h := range w.server.Held() {
		for _, peer := range w.peers {
			w.network.Send(w.now, Datagram{From: peer, To: h.Relayed, Data: []byte("hello from " + peer.String())})
		}
	}
}

func (w *world) peerICMP() {
	for _, h := range w.server.Held() {
		for _, peer := range w.peers {
			w.server.PeerICMP(w.now, h.Relayed, peer, 3, 4, [4]byte{0, 0, 5, 0xDC})
		}
	}
	w.pumpServer()
}

func (w *world) rebind() {
	a := w.actors[w.rng.IntN(len(w.actors))]
	if w.plan.stream {
		w.cutStream()
	} else if inside, ok := a.flows[a.flow]; ok {
		w.network.Rebind(w.now, inside)
	}
}

func (w *world) down() {
	w.network.Down(w.now + pick(w.rng, 300*time.Millisecond, 3*time.Second, 60*time.Second, 350*time.Second, 700*time.Second))
}

// changePassword lets the credentials that clients hold expire.
func (w *world) changePassword() {
	if !w.plan.open {
		w.server.SetPassword(simUser, pick(w.rng, "new horse", simPassword))
	}
}
