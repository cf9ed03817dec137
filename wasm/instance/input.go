package instance

import (
	"encoding/binary"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Input is turn_input.
func (in *Instance) Input(now float64, n int32) int32 {
	return in.batch(now, n, (*Instance).receiveLanes, (*Instance).inputItem)
}

func (in *Instance) inputItem(d *abi.Words) bool {
	span := d.Get(2)
	off, n := uint32(span), uint32(span>>32)
	took := uint32(0)
	if in.layout.Arena.Holds(off, n) && uint32(d.Get(3)) <= 1 {
		if took = in.receiveLane(d, off, n); took == n && n > 0 {
			d.ClearStatus()
			return true
		}
	}
	v := abi.View(d[:])
	slot, e := in.enter(v, abi.KindInput)
	if e == nil {
		return true
	}
	if !in.layout.Arena.Holds(off, n) || v.Count() > 1 {
		v.SetStatus(abi.CodeArgument)
		return true
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
		took := in.receiveLane(d, off, n)
		if took == 0 && n >= channelHeader && in.layReceiving(e, d, binary.LittleEndian.Uint32(in.region[off:])) {
			took = in.receiveLane(d, off, n)
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
