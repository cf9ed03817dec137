package instance

import (
	"encoding/binary"
	"math"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Input is turn_input.
func (in *Instance) Input(now float64, n int32) int32 {
	return in.batch(now, n, (*Instance).receiveLanes, (*Instance).inputItem)
}

// receiveLanes does the in-descriptors from i to n as long as they are on lanes
// and the outlet has room; it answers the first that it has not done. What it
// took of that one, if it is a coalesced datagram, stands at the cursor.
func (in *Instance) receiveLanes(i, n int32) int32 {
	start, end := uint64(in.layout.Arena.Offset), uint64(in.layout.Arena.End())
	for ; i < n && in.out.descs < int(in.out.table.Count); i++ {
		d := in.layout.In.Words(in.region, int(i))
		span, run := d.Get(2), d.Get(3)
		off, size, stride := span&math.MaxUint32, span>>32, run>>32
		if size < channelHeader || off < start || off+size > end || uint32(run) > 1 {
			break
		}
		if stride > 0 && stride < size {
			if in.cur.took = in.receiveRun(d, uint32(off), uint32(size)); in.cur.took < uint32(size) {
				break
			}
			in.cur.took = 0
			d.ClearStatus()
			continue
		}
		header := binary.LittleEndian.Uint32(in.region[off:])
		length := uint64(client.LaneLength(header))
		l := in.receivingLane(d.Get(0), header)
		if !in.carries(l, d.Get(0), d.Get(1), header) || length+channelHeader > size {
			break
		}
		d.ClearStatus()
		in.out.lane(l, (off+channelHeader)|length<<32, 1, d.Get(7))
		l.client.ReceivedOnLane(1, size)
	}
	return i
}

// receiveRun takes a datagram, or a coalesced one, as far as its segments are
// on lanes and the outlet has room. It answers how many bytes it took.
func (in *Instance) receiveRun(d *abi.Words, off, n uint32) (took uint32) {
	for n >= channelHeader && in.out.descs < int(in.out.table.Count) {
		header := binary.LittleEndian.Uint32(in.region[off:])
		l := in.receivingLane(d.Get(0), header)
		size, length := uint32(d.Get(3)>>32), client.LaneLength(header)
		if size == 0 || size > n {
			size = n
		}
		if !in.carries(l, d.Get(0), d.Get(1), header) || length+channelHeader > size {
			break
		}
		count := alike(in.region, off, size, n, header)
		run := uint64(1)
		if count > 1 {
			run = abi.Word(count, size)
		}
		in.out.lane(l, abi.Word(off+channelHeader, length), run, d.Get(7))
		whole := count * size
		l.client.ReceivedOnLane(uint64(count), uint64(whole))
		off, n, took = off+whole, n-whole, took+whole
	}
	return took
}

// carries says whether a datagram of client head, on flow, that begins with the
// header is on the lane.
func (in *Instance) carries(l *lane, head, flow uint64, header uint32) bool {
	return l.head == head && uint32(l.from) == uint32(flow) && uint16(l.header) == uint16(header) &&
		(l.stamp == in.stamp || in.renew(l))
}

// alike counts the segments from off on that have the same header, a shorter
// one at the end left out.
func alike(region []byte, off, size, n, header uint32) (count uint32) {
	for n >= size && binary.LittleEndian.Uint32(region[off:]) == header {
		off, n, count = off+size, n-size, count+1
	}
	return count
}

// inputItem does what the lanes have left of an in-descriptor.
func (in *Instance) inputItem(d *abi.Words) bool {
	took := in.cur.took
	in.cur.took = 0
	v := abi.View(d[:])
	slot, e := in.enter(v, abi.KindInput)
	if e == nil {
		return true
	}
	off, n := v.Offset(), v.Length()
	if !in.layout.Arena.Holds(off, n) || v.Count() > 1 {
		v.SetStatus(abi.CodeArgument)
		return true
	}
	if e.client.Stream() {
		return in.stream(slot, e, v, off, n)
	}
	return in.segments(slot, e, d, off+took, n-took)
}

// segments hands in what the lanes have left of a datagram, segment by segment.
func (in *Instance) segments(slot int32, e *entry, d *abi.Words, off, n uint32) bool {
	v := abi.View(d[:])
	size := v.Stride()
	if size == 0 {
		size = n
	}
	for {
		if !in.ready(slot, e) {
			v.SetSpan(off, n)
			return false
		}
		took := in.receiveRun(d, off, n)
		if took == 0 && n >= channelHeader && in.layReceiving(e, d, binary.LittleEndian.Uint32(in.region[off:])) {
			took = in.receiveRun(d, off, n)
		}
		if took == 0 {
			took = min(size, n)
			in.segment(slot, e, v, off, took)
		}
		off, n = off+took, n-took
		if n == 0 {
			return true
		}
	}
}

// segment hands one datagram, or one segment of a coalesced one, to the machine.
func (in *Instance) segment(slot int32, e *entry, v abi.View, off, n uint32) {
	in.forget()
	data := in.lend(off, off+n, v.Stride(), v.Tag())
	e.client.HandleInput(in.now, client.Flow(v.Flow()), plain(v.Addr()), data)
	in.drain(slot, e)
}
