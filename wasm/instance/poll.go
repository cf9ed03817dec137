package instance

import (
	"math"

	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Poll is turn_poll.
func (in *Instance) Poll() int32 {
	in.reset()
	in.worked = true
	for !in.cur.full && !in.dirty.empty() {
		in.pollSome()
	}
	in.end()
	return int32(in.out.descs)
}

// pollSome drains clients until all are empty, the outlet is full, or one
// panics.
func (in *Instance) pollSome() {
	defer in.recoverClient()
	for !in.dirty.empty() {
		slot := in.dirty.pop(&in.slots)
		in.cur.slot = slot
		if !in.drain(slot, in.slots.at(slot)) {
			in.cur.full = true
			return
		}
	}
}

// recoverClient closes the client at the cursor if it panicked.
func (in *Instance) recoverClient() {
	if r := recover(); r != nil && in.cur.slot != noSlot {
		in.bury(in.cur.slot, r)
	}
}

// maxWoken is how many clients one tick wakes. A host calls until the deadline
// lies in the future, and drains between: so the longest call stays short, and
// what all have to say does not exist at once.
const maxWoken = 128

// Tick is turn_tick. It answers NaN, and does nothing, when now is no time.
func (in *Instance) Tick(now float64) float64 {
	if !in.begin(now) {
		in.end()
		return math.NaN()
	}
	in.worked = true
	for in.ticking() {
		in.tickSome()
	}
	in.end()
	return in.next()
}

// ticking says whether a client is due that this tick is to wake.
func (in *Instance) ticking() bool {
	at, ok := in.wakes.first()
	return ok && at <= in.now && in.cur.item < maxWoken
}

// tickSome wakes the clients that are due, each once: its next deadline is
// entered when all have been, so that one which does not get on cannot hold up
// the others.
func (in *Instance) tickSome() {
	defer in.recoverClient()
	for in.ticking() {
		in.cur.item++
		slot := in.wakes[0].slot
		in.cur.slot = slot
		in.wakes.remove(&in.slots, slot)
		in.touched.push(&in.slots, slot)
		in.dirty.push(&in.slots, slot)
		in.slots.at(slot).client.HandleTimeout(in.now)
	}
}

// Parting is turn_parting.
func (in *Instance) Parting(now float64, h int32) int32 {
	if !in.begin(now) {
		return in.refuse(abi.ErrArgument)
	}
	slot, e := in.slots.lookup(h)
	switch {
	case e == nil:
		return in.refuse(abi.ErrHandle)
	case e.grave != nil:
		return in.refuse(abi.ErrPanic)
	}
	in.cur.slot = slot
	in.partingSome(h, e)
	if e.grave != nil {
		return in.refuse(abi.ErrPanic)
	}
	in.end()
	return int32(in.out.descs)
}

func (in *Instance) partingSome(h int32, e *entry) {
	defer in.recoverClient()
	if !in.tellParting(h, e) {
		in.out.reset()
	}
}
