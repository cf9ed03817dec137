package instance

import (
	"encoding/binary"
	"math"
	"net/netip"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// channelHeader is the size of a ChannelData header (RFC 8656 section 12.4).
const channelHeader = 4

// Send is turn_send.
func (in *Instance) Send(now float64, n int32) int32 {
	return in.batch(now, n, (*Instance).sendLanes, (*Instance).sendItem)
}

// sendLanes does the in-descriptors from i to n as long as they are on lanes
// and the outlet has room; it answers the first that it has not done.
func (in *Instance) sendLanes(i, n int32) int32 {
	start, end := uint64(in.layout.Arena.Offset)+abi.Headroom, uint64(in.layout.Arena.End())
	for ; i < n && in.out.descs < int(in.out.table.Count); i++ {
		d := in.layout.In.Words(in.region, int(i))
		head, peer := d.Get(0), d.Get(1)>>32
		l := in.sendingLane(head, peer)
		if l.head != head || l.from != peer || l.stamp != in.stamp && !in.renew(l) ||
			peer == 0 && (l.first != d.Get(5) || l.last != d.Get(6)) {
			break
		}
		span, run := d.Get(2), d.Get(3)
		off, size, count, stride := span&math.MaxUint32, span>>32, run&math.MaxUint32, run>>32
		if count == 1 {
			run, stride = 1, 0
		} else if count == 0 || stride < size+channelHeader {
			break
		}
		if off < start || off+size+abi.Tailroom+(count-1)*stride > end || size > client.MaxLane {
			break
		}
		d.ClearStatus()
		header := l.header | client.LaneHeader(0, uint32(size))
		off, size = off-channelHeader, size+channelHeader
		for k, at := count, off; k > 0; k, at = k-1, at+stride {
			binary.LittleEndian.PutUint32(in.region[at:], header)
		}
		in.out.lane(l, off|size<<32, run, d.Get(7))
		l.client.SentOnLane(count, count*size)
	}
	return i
}

// sendItem does an in-descriptor that is on no lane.
func (in *Instance) sendItem(d *abi.Words) bool {
	v := abi.View(d[:])
	slot, e := in.enter(v, abi.KindSend)
	if e == nil {
		return true
	}
	if !in.fits(v.Offset(), v.Length(), v.Count(), v.Stride()) {
		v.SetStatus(abi.CodeArgument)
		return true
	}
	peer, ok := e.peers.peer(v.Peer())
	if v.Peer() == 0 {
		peer = plain(v.Addr())
		ok = peer.IsValid()
	}
	if !ok {
		v.SetStatus(abi.CodePeer)
		return true
	}
	if in.ready(slot, e) && in.laySending(e, d, peer) && in.sendLanes(in.cur.item, in.cur.item+1) > in.cur.item {
		return true
	}
	return in.payloads(slot, e, v, peer)
}

// fits checks the span of a run with the room in front of its first payload and
// behind its last, and that a ChannelData header fits between two.
func (in *Instance) fits(off, n, count, stride uint32) bool {
	if count == 0 || off < abi.Headroom {
		return false
	}
	whole := abi.Headroom + uint64(n) + abi.Tailroom
	if count > 1 {
		if uint64(stride) < uint64(n)+channelHeader {
			return false
		}
		whole += uint64(count-1) * uint64(stride)
	}
	return whole <= math.MaxUint32 && in.layout.Arena.Holds(off-abi.Headroom, uint32(whole))
}

// payloads sends a run the machine's own way. Where it stops, at an error or
// because the outlet is full, the descriptor describes what was not sent.
func (in *Instance) payloads(slot int32, e *entry, v abi.View, peer netip.AddrPort) bool {
	off, n, count, stride, tag := v.Offset(), v.Length(), v.Count(), uint32(0), v.Tag()
	if count > 1 {
		stride = v.Stride()
	}
	for ; count > 0; count-- {
		if !in.ready(slot, e) {
			v.SetSpan(off, n)
			v.SetRun(count, stride)
			return false
		}
		buf := in.lend(off-abi.Headroom, off+n+abi.Tailroom, stride, tag)
		if err := in.payload(slot, e, peer, buf); err != nil {
			v.SetSpan(off, n)
			v.SetRun(count, stride)
			v.SetStatus(abi.CodeOf(err))
			return true
		}
		off += stride
	}
	return true
}

// payload sends one payload by an indication, or leaves it to wait.
func (in *Instance) payload(slot int32, e *entry, peer netip.AddrPort, buf []byte) error {
	in.forget()
	// It may have to wait for a permission, in a copy.
	if in.short() {
		return abi.ErrMemory
	}
	end := len(buf) - abi.Tailroom
	if err := e.client.SendInPlace(in.now, peer, buf, abi.Headroom, end); err != nil {
		return err
	}
	before := in.out.packets
	in.drain(slot, e)
	if in.out.packets == before {
		in.worked = true // it was copied and waits
		in.memory.grow(end)
	}
	return nil
}
