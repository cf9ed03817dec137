package instance

import (
	"math"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// The data path. A payload on a lane costs no look-up, no call into the machine
// and no copy: its in-descriptor is compared with what the lane's must be, and
// the out-descriptor is written from what the lane's is. What is on no lane goes
// the machine's own way, and ends all lanes.
//
// Loops over lanes count words and calls: under WebAssembly a struct beyond 16
// bytes is copied by a call, and each call costs as much as a dozen loads. They
// cannot panic, for nothing recovers them.

// lane is what is remembered of a client's channel, in one direction.
type lane struct {
	stamp uint64 // the instance's when it was last known to hold
	epoch uint64 // the instance's; it ends with it

	// What the in-descriptor says.
	head        uint64 // its first word
	from        uint64 // its peer number when it sends, its flow when it receives
	first, last uint64 // its address, when it sends to one

	header uint32    // of ChannelData, the length left open
	out    abi.Words // the out-descriptor; offset, length, count and tag left open
	client *client.Client
	until  time.Duration
}

// lanes are those of one direction. Each has one place where it can be.
type lanes [256]lane

// sendingLane is where the lane of an in-descriptor to send is, if there is one:
// by client and peer number or port.
func (in *Instance) sendingLane(head, peer uint64) *lane {
	return &in.sending[(head+head>>48+peer)%uint64(len(in.sending))]
}

// receivingLane is where that of a datagram with the header is: by client and
// channel.
func (in *Instance) receivingLane(head uint64, header uint32) *lane {
	return &in.receiving[(head+uint64(header>>8))%uint64(len(in.receiving))]
}

// forget ends all lanes.
func (in *Instance) forget() {
	in.stamp++
	in.epoch++
}

// renew says whether a lane of an earlier call still holds.
func (in *Instance) renew(l *lane) bool {
	if l.epoch != in.epoch || l.client == nil || !l.client.Holds(in.now, l.until) {
		return false
	}
	l.stamp = in.stamp
	return true
}

// laySending makes the lane of an in-descriptor to send, if its peer has a
// channel that can carry payloads now.
func (in *Instance) laySending(e *entry, d *abi.Words, peer netip.AddrPort) bool {
	way, ok := e.client.LaneTo(in.now, peer)
	if !ok || in.laneless {
		return false
	}
	l := in.sendingLane(d.Get(0), d.Get(1)>>32)
	in.lay(l, e, d, way)
	l.from, l.first, l.last = d.Get(1)>>32, d.Get(5), d.Get(6)
	to := abi.EndpointOf(way.Server)
	l.says(abi.KindTransmit, way.Flow, 0, 0, &to)
	return true
}

// layReceiving makes the lane of a datagram that begins with the header. The
// host's socket must vouch for its source; HandleInput checks others.
func (in *Instance) layReceiving(e *entry, d *abi.Words, header uint32) bool {
	if abi.View(d[:]).HasAddr() {
		return false
	}
	way, ok := e.client.LaneFrom(in.now, client.Flow(uint32(d.Get(1))), client.LaneNumber(header))
	if !ok || in.laneless {
		return false
	}
	l := in.receivingLane(d.Get(0), header)
	in.lay(l, e, d, way)
	l.from = d.Get(1) & math.MaxUint32
	at := abi.EndpointOf(way.Peer)
	l.says(abi.KindData, way.Flow, e.peers.number(way.Peer), uint32(way.Number), &at)
	return true
}

// lay makes a lane for what d says.
func (in *Instance) lay(l *lane, e *entry, d *abi.Words, way client.Lane) {
	*l = lane{
		stamp: in.stamp, epoch: in.epoch, head: d.Get(0), header: client.LaneHeader(way.Number, 0),
		client: &e.client, until: way.Until,
	}
}

// says sets what the lane's out-descriptors have in common.
func (l *lane) says(kind abi.Kind, flow client.Flow, peer, channel uint32, at *abi.Endpoint) {
	abi.View(l.out[:]).Packet(&abi.Packet{
		Client: int32(uint32(l.head)), Kind: kind, Flow: uint32(flow), Peer: peer, Channel: channel,
	}, at)
}

// lane writes an out-descriptor of a lane. The outlet has room.
func (o *outlet) lane(l *lane, span, run, tag uint64) {
	w := o.table.Words(o.region, o.descs)
	o.descs++
	o.run.open = false // what the machine says next joins no run of a lane
	w.Put(0, l.out.Get(0))
	w.Put(1, l.out.Get(1))
	w.Put(2, span)
	w.Put(3, run)
	w.Put(4, l.out.Get(4))
	w.Put(5, l.out.Get(5))
	w.Put(6, l.out.Get(6))
	w.Put(7, tag)
}
