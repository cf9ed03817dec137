package instance

import "github.com/turnwasm/turnwasm/wasm/abi"

// step does one in-descriptor. It answers false when the outlet is full; the
// descriptor then describes what is left of it.
type step func(in *Instance, d *abi.Words) bool

// batch runs n in-descriptors through do.
func (in *Instance) batch(now float64, n int32, fast func(*Instance, int32, int32) int32, do step) int32 {
	in.open()
	if !in.setNow(now) || n < 0 || uint32(n) > in.layout.In.Count {
		in.end()
		return int32(abi.CodeArgument)
	}
	in.cur.item = fast(in, 0, n)
	for in.cur.item < n && !in.cur.full {
		in.some(n, fast, do)
	}
	in.header.SetConsumed(int(in.cur.item))
	in.end()
	return int32(in.out.descs)
}

// some goes on with the batch until it ends or a client panics. The recovery
// is set up once for all items, not once for each: it would cost as much as
// the item.
func (in *Instance) some(n int32, fast func(*Instance, int32, int32) int32, do step) {
	defer in.recoverItem()
	for {
		if in.cur.item = fast(in, in.cur.item, n); in.cur.item >= n {
			return
		}
		if !do(in, in.layout.In.Words(in.region, int(in.cur.item))) {
			in.cur.full = true
			return
		}
		in.cur.item++
	}
}

// recoverItem closes the client that panicked; its batch goes on with the next
// item.
func (in *Instance) recoverItem() {
	r := recover()
	if r == nil {
		return
	}
	in.layout.In.At(in.region, int(in.cur.item)).SetStatus(abi.CodePanic)
	in.cur.item++
	if in.cur.slot != noSlot {
		in.bury(in.cur.slot, r)
	}
}

// enter looks up an item's client. Otherwise it sets the item's status.
func (in *Instance) enter(v abi.View, kind abi.Kind) (int32, *entry) {
	in.withdraw()
	in.cur.slot = noSlot
	in.out.run.open = false
	slot, e := in.slots.lookup(v.Client())
	code := abi.CodeOK
	switch {
	case e == nil:
		code = abi.CodeHandle
	case e.grave != nil:
		code = abi.CodePanic
	case v.Kind() != kind:
		code = abi.CodeUnsupported
	}
	v.SetStatus(code)
	if code != abi.CodeOK {
		return noSlot, nil
	}
	in.cur.slot = slot
	if !e.marked[markTouched] {
		in.touched.push(&in.slots, slot)
	}
	return slot, e
}

// ready says whether one more packet may go into the client: what it still had
// to say is out, and there is room for more.
func (in *Instance) ready(slot int32, e *entry) bool {
	if e.marked[markDirty] && !in.settle(slot, e) {
		return false
	}
	return in.out.roomy()
}

// settle drains a client that was marked for turn_poll.
func (in *Instance) settle(slot int32, e *entry) bool {
	in.withdraw()
	in.dirty.remove(&in.slots, slot)
	return in.drain(slot, e)
}
