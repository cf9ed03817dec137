package instance

import (
	"math"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// cursor is where a batch stands: the client that is being called, and the part
// of the arena that it was handed.
type cursor struct {
	item int32 // in-descriptor; of a tick: clients woken
	full bool  // the out-descriptors are
	slot int32 // noSlot: no client is being called

	lo, end uint32 // the part of the arena; its slice has no capacity beyond end
	stride  uint32 // to the next packet of the run; 0 = it is alone
	tag     uint64
}

// lend hands out the part of the arena from lo to end. It has no capacity
// beyond end, so that find can tell where a part of it lies.
func (in *Instance) lend(lo, end, stride uint32, tag uint64) []byte {
	c := &in.cur
	c.lo, c.end, c.stride, c.tag = lo, end, stride, tag
	return in.region[lo:end:end]
}

// withdraw ends a loan: what is drained now was there before.
func (in *Instance) withdraw() { in.lend(0, 0, 0, 0) }

// find answers the offset of data if it is a part of what was lent. Its
// capacity ends with the loan's, or, when the machine cut it off, with a payload
// or its padding, which are at most Tailroom earlier.
func (in *Instance) find(data []byte) (off uint32, ok bool) {
	lo, end := in.cur.lo, in.cur.end
	if cap(data) == 0 || uint64(cap(data)) > uint64(end-lo) {
		return lo, len(data) == 0 && end > lo
	}
	first := &data[:1][0]
	off = end - uint32(cap(data))
	for last := max(lo, off-min(off, abi.Tailroom)); off >= last; off-- {
		if &in.region[off] == first {
			return off, true
		}
	}
	return 0, false
}

// drain polls a client until it is empty, what it sends before what it tells:
// Closed is the last. It answers false when the outlet is full; the client is
// then marked to be drained later.
func (in *Instance) drain(slot int32, e *entry) bool {
	h := in.slots.handle(slot)
	if e.grave != nil {
		return in.drainGrave(slot, e)
	}
	for in.out.roomy() {
		t, ok := e.client.PollTransmit()
		if !ok {
			return in.drainEvents(slot, e, h)
		}
		e.route, e.routed = route{abi.EndpointOf(t.To), uint32(t.Flow)}, true
		in.transmit(h, &t)
	}
	in.dirty.push(&in.slots, slot)
	return false
}

func (in *Instance) drainEvents(slot int32, e *entry, h int32) bool {
	for in.out.roomy() {
		ev, ok := e.client.PollEvent()
		if !ok {
			return true
		}
		in.tell(h, e, &ev)
	}
	in.dirty.push(&in.slots, slot)
	return false
}

// transmit describes a datagram to send: where it lies when that is the arena,
// else in control-out.
func (in *Instance) transmit(h int32, t *client.Transmit) {
	p := abi.Packet{Kind: abi.KindTransmit, Client: h, Flow: uint32(t.Flow), Length: uint32(len(t.Data)), Tag: in.cur.tag}
	off, ok := in.find(t.Data)
	// One that is longer than the stride reaches into the packet in front of
	// it, so the packets of such a run are shipped from control-out.
	if ok && (in.cur.stride == 0 || p.Length <= in.cur.stride) {
		p.Offset, p.Stride = off, in.cur.stride
	} else {
		p.Offset = in.out.copied(t.Data)
		in.worked = true
	}
	at := abi.EndpointOf(t.To)
	in.out.packet(&p, &at)
}

// tell describes an event: payloads by where they lie, others by a record.
func (in *Instance) tell(h int32, e *entry, ev *client.Event) {
	switch ev.Kind {
	case client.DataReceived:
		in.received(h, e, ev)
	case client.PartingChanged:
		in.tellParting(h, e)
	default:
		in.worked = true
		in.out.event(h, ev)
	}
}

func (in *Instance) received(h int32, e *entry, ev *client.Event) {
	p := abi.Packet{
		Kind: abi.KindData, Client: h, Flow: uint32(ev.Flow), Channel: uint32(ev.Channel),
		Peer: e.peers.number(ev.Peer), Length: uint32(len(ev.Data)), Tag: in.cur.tag,
	}
	off, ok := in.find(ev.Data)
	if ok {
		p.Offset, p.Stride = off, in.cur.stride
	} else {
		p.Offset = in.out.copied(ev.Data)
	}
	at := abi.EndpointOf(ev.Peer)
	in.out.packet(&p, &at)
}

// tellParting describes what Parting answers now; length 0 when nothing is owed.
// Its tag is the instant, as f64 ms, to which the server may hold the
// allocation.
func (in *Instance) tellParting(h int32, e *entry) (owed bool) {
	in.worked = true
	t, until, ok := e.client.Parting(in.now, in.out.free())
	v := in.out.add(h, abi.KindParting, 0)
	if !ok {
		return false
	}
	v.SetAddr(t.To)
	v.SetFlow(uint32(t.Flow))
	v.SetSpan(in.out.copied(t.Data), uint32(len(t.Data)))
	v.SetTag(math.Float64bits(abi.MS(until)))
	return true
}
