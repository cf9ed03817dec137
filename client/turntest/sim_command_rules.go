package turntest

import (
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// wish is a permission (port 0) or a channel that the owner has asked for.
type wish struct {
	method Method
	peer   netip.AddrPort
}

// wishes are what the owner has asked for, and what came of it.
type wishes struct {
	open    map[wish]time.Duration // since when without an event
	granted map[wish]bool
}

func newWishes() wishes { return wishes{map[wish]time.Duration{}, map[wish]bool{}} }

// wishFor enters a command that the machine has accepted.
func (a *actor) wishFor(w wish) {
	if _, waits := a.wishes.open[w]; !waits && !a.wishes.granted[w] {
		a.wishes.open[w] = a.w.now
	}
}

func (ws *wishes) settle(w wish, granted bool) {
	delete(ws.open, w)
	ws.granted[w] = granted
}

func (ws *wishes) clear() {
	clear(ws.open)
	clear(ws.granted)
}

// checkWishes: each CreatePermission and BindChannel comes to an event of its
// own while there is an allocation, whatever became of the others.
func (a *actor) checkWishes(s *step) {
	patience := 10 * time.Minute
	if a.w.plan.wide {
		patience = time.Hour // of long RTOs, and a nonce that is stale when it arrives
	}
	for _, e := range s.events {
		a.grantWish(e)
	}
	if s.after.phase != client.PhaseAllocated {
		return
	}
	for w, since := range a.wishes.open {
		if a.w.now > max(since, a.ledger.allocatedAt)+patience {
			a.w.violate(a, "P5", "%v of %v at %v has come to nothing", w.method, w.peer, since)
			return
		}
	}
}

func (a *actor) grantWish(e client.Event) {
	switch e.Kind {
	case client.PermissionCreated, client.PermissionFailed:
		a.wishes.settle(wish{MethodCreatePermission, e.Peer}, e.Kind == client.PermissionCreated)
	case client.ChannelBound, client.ChannelFailed:
		a.wishes.settle(wish{MethodChannelBind, e.Peer}, e.Kind == client.ChannelBound)
	case client.CommandDropped:
		a.wishes.settle(wish{Method(e.Method), e.Peer}, false)
	case client.AllocateFailed, client.AllocationLost, client.Closed:
		a.wishes.clear()
	}
}

// checkAlone is P2: a peer whose batch was refused is asked for alone before it
// is given up, so that nobody else is hurt.
func (a *actor) checkAlone(e client.Event) {
	if e.Kind != client.PermissionFailed && e.Kind != client.PermissionCreated {
		return
	}
	batched := a.ledger.batched[e.Peer.Addr()]
	delete(a.ledger.batched, e.Peer.Addr())
	if e.Kind != client.PermissionFailed || !batched {
		return
	}
	switch e.Code {
	case 400, 403, 443, 508:
		a.w.violate(a, "P2", "%v fails with %d, and was asked for together with others only", e.Peer.Addr(), e.Code)
	}
}

// sendAtTerm sends to a peer just after its permission or channel has run out,
// if it was not refreshed: where counting from the answer would be too long.
func (a *actor) sendAtTerm(peer netip.AddrPort, until time.Duration) {
	if a.closing != nil || a.w.rng.IntN(3) > 0 {
		return
	}
	a.at(until+time.Millisecond, "send at the term", func(a *actor) {
		a.command("Send", func(now time.Duration) error { return a.m.Send(now, peer, []byte("late")) })
	})
}
