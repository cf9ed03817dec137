package instance

import (
	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// reserve is what must be free of control-out before anything is polled: the
// largest datagram that UDP carries, or the longest event record.
const reserve = 66 << 10

// outlet fills the out-descriptors and control-out during one call.
//
// Its data path passes pointers and single words: under WebAssembly each copy
// of a struct beyond 16 bytes is a call.
type outlet struct {
	region  []byte
	table   abi.Table
	control abi.Span
	descs   int    // out-descriptors in use
	used    uint32 // bytes of control-out in use
	packets uint32 // packets that were described
	run     run
}

// run is the last out-descriptor, as long as an equal packet may join it.
type run struct {
	open  bool
	count uint32
	next  uint32 // where the packet that joins begins
	first abi.Packet
	at    abi.Endpoint
}

func (o *outlet) reset() {
	o.descs, o.used, o.packets, o.run.open = 0, 0, 0, false
}

// roomy says whether one more packet or event fits.
func (o *outlet) roomy() bool {
	return o.descs < int(o.table.Count) && o.control.Size-o.used >= reserve
}

// free is what is left of control-out, to append to.
func (o *outlet) free() []byte {
	at := o.control.Offset + o.used
	return o.region[at:at:o.control.End()]
}

// claim takes n bytes that were written to the start of free. It answers their
// offset.
func (o *outlet) claim(n int) uint32 {
	at := o.control.Offset + o.used
	o.used += uint32(n+7) &^ 7
	return at
}

// add takes the next out-descriptor and says of whom and what it is.
func (o *outlet) add(h int32, kind abi.Kind, tag uint64) abi.View {
	v := o.table.At(o.region, o.descs)
	o.descs++
	o.run.open = false
	v.Begin(h, kind, tag)
	return v
}

// event writes an event record.
func (o *outlet) event(h int32, e *client.Event) {
	rec := abi.AppendEvent(o.free(), e)
	o.add(h, abi.KindEvent, 0).SetSpan(o.claim(len(rec)), uint32(len(rec)))
}

// copied puts a datagram or payload into control-out and answers where.
func (o *outlet) copied(data []byte) uint32 {
	buf := append(o.free(), data...)
	return o.claim(len(buf))
}

// packet describes one packet, or lets it join the run before it.
func (o *outlet) packet(p *abi.Packet, at *abi.Endpoint) {
	o.packets++
	r := &o.run
	if r.open && p.Offset == r.next && r.alike(p, at) {
		r.count++
		r.next += p.Stride
		o.table.At(o.region, o.descs-1).SetRun(r.count, p.Stride)
		return
	}
	o.table.At(o.region, o.descs).Packet(p, at)
	o.descs++
	if r.open = p.Stride > 0; r.open {
		r.count, r.next = 1, p.Offset+p.Stride
		r.first, r.at = *p, *at
	}
}

// alike says whether the packet is as the run's first one but for its offset. A
// run does not reach beyond an in-descriptor: client and tag are the same.
func (r *run) alike(p *abi.Packet, at *abi.Endpoint) bool {
	f := &r.first
	return p.Length == f.Length && p.Stride == f.Stride && p.Kind == f.Kind && p.Channel == f.Channel &&
		p.Flow == f.Flow && at.First == r.at.First && at.Last == r.at.Last && at.Port == r.at.Port
}
