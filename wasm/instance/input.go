package instance

import (
	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Input is turn_input.
func (in *Instance) Input(now float64, n int32) int32 {
	return in.batch(now, n, (*Instance).inputItem)
}

func (in *Instance) inputItem(v abi.View) bool {
	slot, e := in.enter(v, abi.KindInput)
	if e == nil {
		return true
	}
	off, n := v.Offset(), v.Length()
	if !in.layout.Arena.Holds(off, n) || v.Count() > 1 {
		v.SetStatus(abi.CodeArgument)
		return true
	}
	size := v.Stride()
	if size == 0 || size > n {
		size = n
	}
	for {
		if !in.ready(slot, e) {
			v.SetSpan(off, n)
			return false
		}
		part := min(size, n)
		in.segment(slot, e, v, off, part)
		off, n = off+part, n-part
		if n == 0 {
			return true
		}
	}
}

// segment hands in one datagram, or one segment of a coalesced one.
func (in *Instance) segment(slot int32, e *entry, v abi.View, off, n uint32) {
	data := in.lend(off, off+n, v.Stride(), v.Tag())
	// The short way is open where the host's socket vouches for the source and
	// the flow is the one that the client sends on; HandleInput checks others.
	if !v.HasAddr() && e.routed && v.Flow() == e.route.flow && in.channelData(e, v, off, data) {
		return
	}
	in.out.known.channel = 0
	e.client.HandleInput(in.now, client.Flow(v.Flow()), plain(v.Addr()), data)
	in.drain(slot, e)
}

// channelData takes the short way for payloads on a channel: no event is made
// and nothing drained.
func (in *Instance) channelData(e *entry, v abi.View, off uint32, data []byte) bool {
	peer, number, payload, ok := e.client.ReceiveChannelData(in.now, data)
	if !ok {
		return false
	}
	p := abi.Packet{
		Kind: abi.KindData, Client: v.Client(), Flow: v.Flow(), Channel: uint32(number),
		Offset: off + channelHeader, Length: uint32(len(payload)), Stride: v.Stride(), Tag: v.Tag(),
	}
	k := &in.out.known
	if k.channel != p.Channel || k.client != p.Client {
		k.client, k.channel = p.Client, p.Channel
		k.peer, k.endpoint = e.peers.number(peer), abi.EndpointOf(peer)
	}
	p.Peer = k.peer
	in.out.packet(&p, &k.endpoint)
	return true
}
