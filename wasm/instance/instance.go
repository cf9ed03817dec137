package instance

import (
	"io"
	"math"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Options are what an instance gets from its surroundings.
type Options struct {
	// Rand gives the clients' transaction IDs: a CSPRNG.
	Rand io.Reader
	// MostClients that may live at once; 0 or more than MaxClients is
	// MaxClients.
	MostClients int
	// Memory says how many bytes are in use, of at most MemoryLimit. nil = they
	// are not watched.
	Memory      func() uint64
	MemoryLimit uint32
}

// Instance is the clients of one region. New makes it.
type Instance struct {
	region []byte
	header abi.Header
	layout abi.Layout
	rand   io.Reader

	slots   slots
	wakes   deadlines
	dirty   list // clients that have effects to drain
	touched list // clients whose deadline may have changed in this call

	now time.Duration // of the present call
	cur cursor
	out outlet

	// Of the data path, see lane.go.
	stamp, epoch       uint64
	sending, receiving lanes
	laneless           bool // tests compare what comes of it with what the machine does

	memory memory
	worked bool // this call did more than move payloads

	command abi.Command  // of the present command; kept for its Peers
	addrs   []netip.Addr // scratch
}

// New lays an instance over region, which is at least layout.Size long.
func New(region []byte, layout abi.Layout, o Options) *Instance {
	layout.Store(region)
	in := &Instance{
		region: region, header: abi.Header(region), layout: layout,
		rand: o.Rand, slots: newSlots(), memory: newMemory(o.Memory), dirty: newList(markDirty), touched: newList(markTouched),
	}
	most := o.MostClients
	if most <= 0 || most > MaxClients {
		most = MaxClients
	}
	in.header.SetMostClients(most)
	in.header.SetMemoryLimit(o.MemoryLimit)
	in.out = outlet{region: region, table: layout.Out, control: layout.ControlOut}
	return in
}

// Version is turn_abi_version.
func (in *Instance) Version() int32 { return abi.Version }

// Yields says whether the last call did more than move payloads, and so should
// give the collector a turn.
func (in *Instance) Yields() bool { return in.worked }

// begin starts a call: what the last one answered is forgotten. ok is false
// when now is no time; nothing may be done then.
func (in *Instance) begin(now float64) (ok bool) {
	in.reset()
	return in.setNow(now)
}

func (in *Instance) setNow(now float64) (ok bool) {
	at, ok := abi.Duration(now)
	if ok {
		in.now = at
	}
	return ok
}

func (in *Instance) reset() {
	in.forget()
	in.open()
}

// open starts a call that keeps the lanes.
func (in *Instance) open() {
	in.stamp++
	in.out.reset()
	in.cur = cursor{slot: noSlot}
	in.worked = false
	in.header.SetConsumed(0)
	in.header.SetErrorLen(0)
}

// end writes the live fields of the header.
func (in *Instance) end() {
	for slot := in.touched.pop(&in.slots); slot != noSlot; slot = in.touched.pop(&in.slots) {
		in.rearm(slot)
	}
	in.header.SetNext(in.next())
	in.header.SetPending(!in.dirty.empty())
	in.header.SetClients(in.slots.alive)
}

func (in *Instance) next() float64 {
	if at, ok := in.wakes.first(); ok {
		return abi.DeadlineMS(at)
	}
	return math.Inf(1)
}

// rearm enters the client's deadline into the heap.
func (in *Instance) rearm(slot int32) {
	e := in.slots.at(slot)
	at, ok := in.deadline(slot, e)
	if !ok {
		in.wakes.remove(&in.slots, slot)
		return
	}
	in.wakes.set(&in.slots, slot, at)
}

func (in *Instance) deadline(slot int32, e *entry) (at time.Duration, ok bool) {
	if !e.alive || e.grave != nil {
		return 0, false
	}
	defer func() {
		if r := recover(); r != nil {
			in.bury(slot, r)
			at, ok = 0, false
		}
	}()
	return e.client.PollTimeout()
}

// short says whether what takes memory must be refused.
func (in *Instance) short() bool { return in.memory.short(in.header.MemoryLimit()) }

// guard runs f on the client. A panic closes it.
func (in *Instance) guard(slot int32, f func(*client.Client) error) (err error) {
	e := in.slots.at(slot)
	if e.grave != nil {
		return abi.ErrPanic
	}
	defer func() {
		if r := recover(); r != nil {
			in.bury(slot, r)
			err = abi.ErrPanic
		}
	}()
	return f(&e.client)
}
