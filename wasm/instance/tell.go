package instance

import (
	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Peer is turn_peer.
func (in *Instance) Peer(h, n int32) int32 {
	in.reset()
	rec, err := in.record(n)
	if err != nil {
		return in.refuse(err)
	}
	peer, err := abi.ParsePeer(rec)
	if err != nil {
		return in.refuse(err)
	}
	_, e := in.slots.lookup(h)
	if e == nil {
		return in.refuse(abi.ErrHandle)
	}
	if e.peers == nil {
		e.peers = new(peerTable)
	}
	number, err := e.peers.add(plain(peer))
	if err != nil {
		return in.refuse(err)
	}
	in.end()
	return int32(number)
}

// State is turn_state.
func (in *Instance) State(h int32) int32 {
	return in.read(h, func(c *client.Client, buf []byte) []byte {
		s := abi.State{
			Phase: c.Phase(), Relayed: c.Relayed(), Additional: c.Additional(), Mapped: c.Mapped(), Lifetime: c.Lifetime(),
			Flow: c.Flow(), RTO: c.RTO(), RoundTrip: c.RoundTrip(),
		}
		if s.WakeAt, s.Wakes = c.PollTimeout(); s.Wakes {
			s.WakeWhy = c.TimeoutReason()
		}
		return abi.AppendState(buf, &s)
	})
}

// Stats is turn_stats.
func (in *Instance) Stats(h int32) int32 {
	return in.read(h, func(c *client.Client, buf []byte) []byte {
		s := c.Stats()
		return abi.AppendStats(buf, &s)
	})
}

// read lets f write what it reads of the client to control-out.
func (in *Instance) read(h int32, f func(c *client.Client, buf []byte) []byte) int32 {
	in.open()
	in.worked = true
	slot, e := in.slots.lookup(h)
	if e == nil {
		return in.refuse(abi.ErrHandle)
	}
	n := 0
	err := in.guard(slot, func(c *client.Client) error {
		n = len(f(c, in.out.free()))
		return nil
	})
	if err != nil {
		return in.refuse(err)
	}
	in.end()
	return int32(n)
}
