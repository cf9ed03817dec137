package instance

import (
	"math"
	"net/netip"

	"github.com/turnwasm/turnwasm/wasm/abi"
)

// channelHeader is the size of a ChannelData header (RFC 8656 section 12.4).
const channelHeader = 4

// Send is turn_send.
func (in *Instance) Send(now float64, n int32) int32 {
	return in.batch(now, n, (*Instance).sendLanes, (*Instance).sendItem)
}

func (in *Instance) sendItem(d *abi.Words) bool {
	if in.sendLane(d) {
		return true
	}
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
	if in.ready(slot, e) && in.laySending(e, d, peer) && in.sendLane(d) {
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

// payloads sends a run the machine's own way. Where it stops, at an error or because the outlet is
// full, the descriptor describes what was not sent.
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
