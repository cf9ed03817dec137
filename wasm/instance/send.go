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
	return in.batch(now, n, (*Instance).sendItem)
}

func (in *Instance) sendItem(v abi.View) bool {
	slot, e := in.enter(v, abi.KindSend)
	if e == nil {
		return true
	}
	if !in.sendable(v) {
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
	return in.payloads(slot, e, v, peer)
}

// sendable checks the span of a run with the room in front of its first payload
// and behind its last, and that a ChannelData header fits between two.
func (in *Instance) sendable(v abi.View) bool {
	off, n, count, stride := v.Offset(), uint64(v.Length()), uint64(v.Count()), uint64(v.Stride())
	if count == 0 || off < abi.Headroom {
		return false
	}
	whole := abi.Headroom + n + abi.Tailroom
	if count > 1 {
		if stride < n+channelHeader {
			return false
		}
		whole += (count - 1) * stride
	}
	return whole <= math.MaxUint32 && in.layout.Arena.Holds(off-abi.Headroom, uint32(whole))
}

// payloads sends a run. Where it stops, at an error or because the outlet is
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
		if !in.onChannel(e, &peer, v, buf) {
			if err := in.payload(slot, e, &peer, buf); err != nil {
				v.SetSpan(off, n)
				v.SetRun(count, stride)
				v.SetStatus(abi.CodeOf(err))
				return true
			}
		}
		off += stride
	}
	return true
}

// onChannel takes the short way for payloads on a bound channel.
func (in *Instance) onChannel(e *entry, peer *netip.AddrPort, v abi.View, buf []byte) bool {
	end := len(buf) - abi.Tailroom
	if !e.routed || !e.client.SendChannelData(in.now, *peer, buf, abi.Headroom, end) {
		return false
	}
	p := abi.Packet{
		Kind: abi.KindTransmit, Client: v.Client(), Flow: e.route.flow,
		Offset: in.cur.lo + abi.Headroom - channelHeader, Length: uint32(end - abi.Headroom + channelHeader),
		Stride: in.cur.stride, Tag: in.cur.tag,
	}
	in.out.packet(&p, &e.route.to)
	return true
}

// payload sends one payload by an indication, or leaves it to wait.
func (in *Instance) payload(slot int32, e *entry, peer *netip.AddrPort, buf []byte) error {
	// It may have to wait for a permission, in a copy.
	if in.short() {
		return abi.ErrMemory
	}
	end := len(buf) - abi.Tailroom
	if err := e.client.SendInPlace(in.now, *peer, buf, abi.Headroom, end); err != nil {
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
