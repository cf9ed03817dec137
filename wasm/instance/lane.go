package instance

import (
	"encoding/binary"
	"math"
	"net/netip"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// The data path. A payload on a lane costs no look-up, no call into the machine
// and no copy: its in-descriptor is compared with what the lane's must be, and
// the out-descriptor is written from what the lane's is. Everything else goes
// the machine's own way, and ends all lanes.
//
// It counts words: under WebAssembly each copy of a struct beyond 16 bytes is a
// call, and each call costs as much as a dozen loads.

// lane is what is remembered of a client's channel, in one direction.
type lane struct {
	stamp uint64 // the instance's when it was last known to hold
	epoch uint64 // the instance's; it ends with it

	// What the in-descriptor says.
	head        uint64 // its first word
	peer        uint32 // its peer number when it sends, its flow when it receives
	first, last uint64 // its address, when it sends to one

	header uint32    // of ChannelData, the length left open
	out    abi.Words // the out-descriptor; offset, length, count and tag left open
	client *client.Client
	way    client.Lane
	flow   uint32
}

// lanes are those of one direction, each where its number says.
type lanes [16]lane

func (ls *lanes) at(number uint32) *lane { return &ls[number%uint32(len(ls))] }

// forget ends all lanes.
func (in *Instance) forget() {
	in.stamp++
	in.epoch++
}

// renew says whether a lane of an earlier call still holds.
func (in *Instance) renew(l *lane) bool {
	if l.epoch != in.epoch || l.client == nil || !l.client.Holds(in.now, &l.way) {
		return false
	}
	l.stamp = in.stamp
	return true
}

// laySending makes the lane of an in-descriptor to send, if its peer has a
// channel that can carry payloads now.
func (in *Instance) laySending(e *entry, d *abi.Words, peer netip.AddrPort) bool {
	way, ok := e.client.LaneTo(in.now, peer)
	if !ok || !e.routed || in.laneless {
		return false
	}
	l := in.sending.at(uint32(d.Get(0)) + uint32(d.Get(0)>>48) + uint32(d.Get(1)>>32))
	in.lay(l, e, d, way)
	l.peer, l.first, l.last = uint32(d.Get(1)>>32), d.Get(5), d.Get(6)
	l.says(abi.KindTransmit, 0, 0, &e.route.to)
	return true
}

// layReceiving makes the lane of a datagram that begins with the header. The
// host's socket must vouch for its source, and its flow be the one that the
// client sends on; HandleInput checks others.
func (in *Instance) layReceiving(e *entry, d *abi.Words, header uint32) bool {
	if in.laneless || abi.View(d[:]).HasAddr() || !e.routed || uint32(d.Get(1)) != e.route.flow {
		return false
	}
	way, ok := e.client.LaneFrom(in.now, client.LaneNumber(header))
	if !ok {
		return false
	}
	l := in.receiving.at(uint32(d.Get(0)) + header>>8)
	in.lay(l, e, d, way)
	l.peer = uint32(d.Get(1))
	at := abi.EndpointOf(way.Peer)
	l.says(abi.KindData, e.peers.number(way.Peer), uint32(way.Number), &at)
	return true
}

// lay makes a lane for what d says.
func (in *Instance) lay(l *lane, e *entry, d *abi.Words, way client.Lane) {
	*l = lane{
		stamp: in.stamp, epoch: in.epoch, head: d.Get(0), header: client.LaneHeader(way.Number, 0),
		flow: e.route.flow, client: &e.client, way: way,
	}
}

// says sets what the lane's out-descriptors have in common.
func (l *lane) says(kind abi.Kind, peer, channel uint32, at *abi.Endpoint) {
	abi.View(l.out[:]).Packet(&abi.Packet{
		Client: int32(uint32(l.head)), Kind: kind, Flow: l.flow, Peer: peer, Channel: channel,
	}, at)
}

// answer writes the out-descriptor of count packets and gives it the tag. The
// outlet has room.
func (o *outlet) answer(l *lane, span, run, tag uint64) {
	w := o.table.Words(o.region, o.descs)
	o.descs++
	o.run.open = false
	w.Put(0, l.out.Get(0))
	w.Put(1, l.out.Get(1))
	w.Put(2, span)
	w.Put(3, run)
	w.Put(4, l.out.Get(4))
	w.Put(5, l.out.Get(5))
	w.Put(6, l.out.Get(6))
	w.Put(7, tag)
}

// sendLanes does the in-descriptors from i to n as long as they are on lanes
// that are known to hold; it answers the first that is not. It makes no call,
// so that the loop keeps to its registers.
func (in *Instance) sendLanes(i, n int32) int32 {
	region, arena := in.region, in.layout.Arena
	o := &in.out
	for ; i < n && o.descs < int(o.table.Count); i++ {
		d := in.layout.In.Words(region, int(i))
		head, peer := d.Get(0), uint32(d.Get(1)>>32)
		l := in.sending.at(uint32(head) + uint32(head>>48) + peer)
		if l.head != head || l.peer != peer || l.stamp != in.stamp && !in.renew(l) || peer == 0 && (l.first != d.Get(5) || l.last != d.Get(6)) {
			break
		}
		span, run := d.Get(2), d.Get(3)
		off, size, count, stride := span&math.MaxUint32, span>>32, run&math.MaxUint32, run>>32
		if count == 1 {
			run, stride = 1, 0
		} else if count == 0 || stride < size+channelHeader {
			break
		}
		start, end := uint64(arena.Offset)+abi.Headroom, uint64(arena.Offset)+uint64(arena.Size)
		if off < start || off+size+abi.Tailroom+(count-1)*stride > end || size > client.MaxLane {
			break
		}
		off -= channelHeader
		header := l.header | client.LaneHeader(0, uint32(size))
		for k, at := count, off; k > 0; k-- {
			binary.LittleEndian.PutUint32(region[at:], header)
			at += stride
		}
		size += channelHeader
		d.ClearStatus()
		w := o.table.Words(region, o.descs)
		o.descs++
		w.Put(0, l.out.Get(0))
		w.Put(1, l.out.Get(1))
		w.Put(2, off|size<<32)
		w.Put(3, run)
		w.Put(4, l.out.Get(4))
		w.Put(5, l.out.Get(5))
		w.Put(6, l.out.Get(6))
		w.Put(7, d.Get(7))
		l.client.SentOnLane(count, count*size)
	}
	o.run.open = false
	return i
}

// sendLane is for one in-descriptor whose lane may be that of an earlier call.
func (in *Instance) sendLane(d *abi.Words) bool {
	head, peer := d.Get(0), uint32(d.Get(1)>>32)
	l := in.sending.at(uint32(head) + uint32(head>>48) + peer)
	return l.head == head && l.peer == peer && (l.stamp == in.stamp || in.renew(l)) &&
		in.sendLanes(in.cur.item, in.cur.item+1) > in.cur.item
}

// receiveLanes does the in-descriptors from i to n as long as they are single
// datagrams on lanes that are known to hold; it answers the first that is not.
func (in *Instance) receiveLanes(i, n int32) int32 {
	region, arena := in.region, in.layout.Arena
	o := &in.out
	for ; i < n && o.descs < int(o.table.Count); i++ {
		d := in.layout.In.Words(region, int(i))
		span, run := d.Get(2), d.Get(3)
		off, size, stride := span&math.MaxUint32, span>>32, run>>32
		if off < uint64(arena.Offset) || off+size > uint64(arena.Offset)+uint64(arena.Size) || size < channelHeader ||
			uint32(run) > 1 || stride > 0 && stride < size {
			break
		}
		header := binary.LittleEndian.Uint32(region[off:])
		head := d.Get(0)
		l := in.receiving.at(uint32(head) + header>>8)
		length := uint64(client.LaneLength(header))
		if l.head != head || l.stamp != in.stamp && !in.renew(l) || l.peer != uint32(d.Get(1)) || uint16(l.header) != uint16(header) ||
			length+channelHeader > size {
			break
		}
		d.ClearStatus()
		w := o.table.Words(region, o.descs)
		o.descs++
		w.Put(0, l.out.Get(0))
		w.Put(1, l.out.Get(1))
		w.Put(2, (off+channelHeader)|length<<32)
		w.Put(3, 1)
		w.Put(4, l.out.Get(4))
		w.Put(5, l.out.Get(5))
		w.Put(6, l.out.Get(6))
		w.Put(7, d.Get(7))
		l.client.ReceivedOnLane(1, size)
	}
	o.run.open = false
	return i
}

// receiveLane takes a datagram, or a coalesced one, as far as its segments are
// on a lane. It answers how many bytes it took.
func (in *Instance) receiveLane(d *abi.Words, off, n uint32) (took uint32) {
	for n >= channelHeader && in.out.descs < int(in.out.table.Count) {
		header := binary.LittleEndian.Uint32(in.region[off:])
		l := in.receiving.at(uint32(d.Get(0)) + header>>8)
		if l.head != d.Get(0) || l.peer != uint32(d.Get(1)) || uint16(l.header) != uint16(header) {
			return took
		}
		if l.stamp != in.stamp && !in.renew(l) {
			return took
		}
		size, length := uint32(d.Get(3)>>32), client.LaneLength(header)
		if size == 0 || size > n {
			size = n
		}
		if length+channelHeader > size {
			return took
		}
		count := alike(in.region, off, size, n, header)
		run := uint64(1)
		if count > 1 {
			run = abi.Word(count, size)
		}
		in.out.answer(l, abi.Word(off+channelHeader, length), run, d.Get(7))
		whole := count * size
		l.client.ReceivedOnLane(uint64(count), uint64(whole))
		off, n, took = off+whole, n-whole, took+whole
	}
	return took
}

// alike counts the segments from off on that have the same header, the last
// shorter one left out.
func alike(region []byte, off, size, n, header uint32) (count uint32) {
	for n >= size && binary.LittleEndian.Uint32(region[off:]) == header {
		off, n, count = off+size, n-size, count+1
	}
	return count
}
