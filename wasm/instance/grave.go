package instance

import (
	"runtime"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// mayLive is how long a server holds an allocation that was never refreshed
// (RFC 8656 section 3.2, the default lifetime): what is assumed of a client
// that cannot be asked any more.
const mayLive = 600 * time.Second

// grave is what is left of a client that panicked: its last datagram and its
// last event.
type grave struct {
	release  []byte // the parting datagram; nil = none
	transmit client.Transmit
	closed   client.Event
	told     bool
}

// bury closes a client that panicked with the value r. Nothing of it is called
// any more but what makes its parting, and that under guard.
func (in *Instance) bury(slot int32, r any) {
	e := in.slots.at(slot)
	g := &grave{closed: client.Event{Kind: client.Closed, Reason: "panic"}}
	if fault, ok := r.(runtime.Error); ok {
		g.closed.Reason = "panic: " + fault.Error() // indices and types, no content
	}
	in.depart(e, g)
	quietly(e.client.Free)
	e.client = client.Client{}
	e.grave = g
	in.worked = true
	in.forget()
	in.withdraw()
	in.wakes.remove(&in.slots, slot)
	in.dirty.push(&in.slots, slot)
}

// depart asks the client for its parting datagram and sets the outcome.
func (in *Instance) depart(e *entry, g *grave) {
	owed, new := false, false
	until := in.now + mayLive
	fine := quietly(func() {
		new = e.client.Phase() == client.PhaseNew
		var t client.Transmit
		var at time.Duration
		if t, at, owed = e.client.Parting(in.now, nil); owed {
			g.release = append([]byte(nil), t.Data...)
			t.Data = g.release
			g.transmit, until = t, at
		}
	})
	switch {
	case fine && owed:
		g.closed.Outcome, g.closed.Until = client.Unconfirmed, until
	case fine && new:
		g.closed.Outcome = client.NothingToRelease
	default:
		g.closed.Outcome, g.closed.Until = client.Abandoned, until
	}
}

// quietly runs f and says whether it came through.
func quietly(f func()) (fine bool) {
	defer func() { fine = recover() == nil }()
	f()
	return
}

// drainGrave tells what is left to tell: the release, then Closed, once.
func (in *Instance) drainGrave(slot int32, e *entry) bool {
	g, h := e.grave, in.slots.handle(slot)
	if g.release != nil {
		if !in.out.roomy() {
			in.dirty.push(&in.slots, slot)
			return false
		}
		in.transmit(h, &g.transmit)
		g.release = nil
	}
	if !g.told {
		if !in.out.roomy() {
			in.dirty.push(&in.slots, slot)
			return false
		}
		in.out.event(h, &g.closed)
		g.told = true
	}
	return true
}
