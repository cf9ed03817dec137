package instance_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/abitest"
)

// twins are two instances that get the same calls: one with lanes, one in which
// every payload goes the machine's own way. What comes out of both must be the
// same, packet by packet, and so must memory and counters.
type twins struct {
	t    *testing.T
	rng  *rand.Rand
	both [2]*abitest.World
	h    []int32 // clients
	seen counts
	// narrow: few out-descriptors. Batches stop early then, but not at the
	// same packets in both, so nothing is done that shows where.
	narrow bool
}

// counts says what a run has exercised.
type counts struct {
	sent, received, errors, batches int
	calls                           [2]int // more than batches: some stopped early
}

var twinPeers = []netip.AddrPort{
	abitest.Peer, // a channel
	netip.MustParseAddrPort("203.0.113.9:4001"),  // a channel
	netip.MustParseAddrPort("203.0.113.10:4000"), // a channel that is let go
	netip.MustParseAddrPort("203.0.113.11:4000"), // a permission
	netip.MustParseAddrPort("203.0.113.12:4000"), // nothing
}

func newTwins(t *testing.T, seed uint64, narrow bool) *twins {
	t.Helper()
	tw := &twins{t: t, rng: rand.New(rand.NewPCG(seed, 0)), narrow: narrow}
	layout := abi.NewLayout(4096, 4<<20, 32, 4096, 256<<10)
	if narrow {
		layout = abi.NewLayout(4096, 128<<10, 32, uint32(1+tw.rng.IntN(8)), 256<<10)
	}
	for i := range tw.both {
		in, region := newInstance(layout, bytes.NewReader(nil))
		if i == 1 {
			in.Laneless()
		}
		tw.both[i] = abitest.NewWorld(t, in, region)
	}
	for i := range 3 {
		h := [2]int32{tw.both[0].Join(uint64(i)), tw.both[1].Join(uint64(i))}
		if h[0] != h[1] {
			t.Fatalf("handles %v", h)
		}
		tw.h = append(tw.h, h[0])
		tw.order(h[0], abi.Command{Cmd: abi.CmdAllocate})
		for _, peer := range twinPeers[:3] {
			tw.order(h[0], abi.Command{Cmd: abi.CmdBindChannel, Peers: []netip.AddrPort{peer}})
		}
		tw.order(h[0], abi.Command{Cmd: abi.CmdUnbindChannel, Peers: twinPeers[2:3]})
		tw.order(h[0], abi.Command{Cmd: abi.CmdCreatePermission, Peers: twinPeers[3:4]})
		for _, peer := range twinPeers[:1+i] {
			tw.number(h[0], peer)
		}
	}
	return tw
}

func (tw *twins) number(h int32, peer netip.AddrPort) {
	for _, w := range tw.both {
		w.Peer(h, w.Control(abi.AppendPeer(nil, peer)))
	}
}

// order gives both a command, which may fail.
func (tw *twins) order(h int32, c abi.Command) {
	for _, w := range tw.both {
		_, outs := w.Do(h, c)
		w.Settle(outs)
	}
}

// step does one thing to both and compares them.
func (tw *twins) step() {
	rng, h := tw.rng, tw.h[tw.rng.IntN(len(tw.h))]
	peer := twinPeers[rng.IntN(len(twinPeers))]
	switch roll := rng.IntN(100); {
	case roll < 45:
		tw.batch(abi.KindSend)
	case roll < 85:
		tw.batch(abi.KindInput)
	case roll < 87:
		tw.order(h, abi.Command{Cmd: abi.CmdBindChannel, Peers: []netip.AddrPort{peer}})
	case roll < 88:
		tw.order(h, abi.Command{Cmd: abi.CmdUnbindChannel, Peers: []netip.AddrPort{peer}})
	case roll < 89:
		tw.order(h, abi.Command{Cmd: abi.CmdCreatePermission, Peers: []netip.AddrPort{peer}})
	case roll < 90:
		tw.order(h, abi.Command{Cmd: abi.CmdRemovePermission, Peers: []netip.AddrPort{peer}})
	case roll < 91:
		tw.number(h, peer)
	case roll < 96 && !tw.narrow:
		d := time.Duration(rng.IntN(7)) * time.Minute
		for _, w := range tw.both { // the timer is late: what it would have refreshed runs out
			w.Now += d
		}
	case roll < 99:
		d := time.Duration(rng.Int64N(int64(3 * time.Minute)))
		for _, w := range tw.both {
			w.AdvanceTo(w.Now + d)
		}
	default:
		linger := time.Duration(rng.IntN(2)) * time.Second
		for _, w := range tw.both {
			w.Settle(w.Bye(h, linger))
		}
	}
	if rng.IntN(4) == 0 {
		tw.compareCounters() // that ends the lanes
	}
}

// batch lays the same in-descriptors into both and runs them.
func (tw *twins) batch(kind abi.Kind) {
	n := 1 + tw.rng.IntN(12)
	for _, w := range tw.both {
		clear(w.Layout.Arena.Of(w.Region))
	}
	arena := tw.both[0].Layout.Arena
	at := arena.Offset + abi.Headroom
	before := tw.rng.IntN(len(tw.h))
	var peer abi.Desc
	for i := range n {
		// Mostly the client and the peer of the item before.
		if tw.rng.IntN(3) == 0 {
			before = tw.rng.IntN(len(tw.h))
		}
		if i == 0 || tw.rng.IntN(3) == 0 {
			peer = tw.anyPeer()
		}
		d := abi.Desc{Client: tw.h[before], Kind: kind, Offset: at, Tag: tw.rng.Uint64(), Status: abi.CodePanic}
		var data []byte
		if kind == abi.KindSend {
			d.Peer, d.Addr = peer.Peer, peer.Addr
			data = tw.payloads(&d)
		} else {
			data = tw.datagrams(&d)
		}
		if i == n-1 && tw.rng.IntN(5) == 0 { // at the arena's end, or beyond
			d.Offset = arena.End() - uint32(len(data)) - uint32(tw.rng.IntN(2*abi.Tailroom))
		}
		if i == 0 && tw.rng.IntN(10) == 0 { // without its headroom
			d.Offset -= 1 + uint32(tw.rng.IntN(abi.Headroom))
		}
		at = d.Offset
		if tw.rng.IntN(25) == 0 {
			tw.spoil(&d)
		}
		for _, w := range tw.both {
			copy(w.Region[at:arena.End()], data)
			d.Store(w.Layout.In.At(w.Region, i))
		}
		at = (at + uint32(len(data)) + abi.Headroom + abi.Tailroom + 7) &^ 7
	}
	tw.run(kind, n)
}

func (tw *twins) anyPeer() (d abi.Desc) {
	if tw.rng.IntN(2) == 0 && !tw.narrow {
		d.Peer = uint32(tw.rng.IntN(4)) // 0: no peer at all
		return d
	}
	known := len(twinPeers)
	if tw.narrow {
		known = 2 // no payload waits for a permission
	}
	d.Addr = twinPeers[tw.rng.IntN(known)]
	if tw.rng.IntN(4) == 0 {
		d.Addr = netip.AddrPortFrom(netip.AddrFrom16(d.Addr.Addr().As16()), d.Addr.Port())
	}
	return d
}

// payloads are one, or a run.
func (tw *twins) payloads(d *abi.Desc) []byte {
	d.Length, d.Count = uint32(tw.rng.IntN(300)), 1
	if tw.rng.IntN(2) == 0 {
		d.Count, d.Stride = uint32(1+tw.rng.IntN(20)), d.Length+4+uint32(tw.rng.IntN(80)>>tw.rng.IntN(7))
		if tw.rng.IntN(20) == 0 {
			d.Stride--
		}
	}
	return tw.noise(int(d.Length + (d.Count-1)*d.Stride))
}

// datagrams are one as received, or a coalesced one: mostly ChannelData of one
// channel, of one size.
func (tw *twins) datagrams(d *abi.Desc) []byte {
	size := 4 * (1 + tw.rng.IntN(60))
	first := tw.datagram(d.Client, size)
	whole := first
	if tw.rng.IntN(2) == 0 {
		d.Stride = uint32(len(first))
		for range tw.rng.IntN(20) {
			next := bytes.Clone(first)
			if tw.rng.IntN(5) == 0 {
				next = tw.datagram(d.Client, size)
			}
			whole = append(whole, append(next, make([]byte, len(first))...)[:len(first)]...)
		}
		whole = whole[:len(whole)-tw.rng.IntN(2)*tw.rng.IntN(len(first))]
	}
	d.Length, d.Count = uint32(len(whole)), uint32(tw.rng.IntN(2))
	switch tw.rng.IntN(12) {
	case 0:
		d.Addr = abitest.ServerAddr
	case 1:
		d.Addr = twinPeers[0]
	case 2:
		d.Flow = 1
	case 3:
		d.Stride = d.Length * 2
	case 4:
		d.Peer = 9 // it says nothing of what was received
	}
	return whole
}

func (tw *twins) datagram(h int32, size int) []byte {
	number := uint16(0x4000 + tw.rng.IntN(0x1000))
	var numbers []uint16
	for _, e := range tw.both[0].Events[h] {
		if e.Kind == client.ChannelBound {
			numbers = append(numbers, e.Channel)
		}
	}
	if len(numbers) > 0 && tw.rng.IntN(8) > 0 {
		number = numbers[tw.rng.IntN(len(numbers))]
	}
	payload := tw.noise(max(0, size-4-tw.rng.IntN(2)*tw.rng.IntN(4)))
	switch tw.rng.IntN(12) {
	case 0:
		return turntest.Build(turntest.MethodData, turntest.Indication, turntest.TransactionID{1}).
			Address(turntest.AttrXORPeerAddress, twinPeers[tw.rng.IntN(len(twinPeers))]).Bytes(turntest.AttrData, payload).Datagram()
	case 1:
		return tw.noise(size)
	case 2:
		return turntest.ChannelData(number, payload)[:min(size, 4+len(payload))/2]
	}
	return append(turntest.ChannelData(number, payload), make([]byte, size-4-len(payload))...)
}

func (tw *twins) noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(tw.rng.Uint32())
	}
	return b
}

// spoil makes a descriptor wrong in one way.
func (tw *twins) spoil(d *abi.Desc) {
	ways := 6
	if tw.narrow {
		ways = 2 // items do not reach into each other
	}
	switch tw.rng.IntN(ways) {
	case 0:
		d.Client ^= 1 << tw.rng.IntN(31)
	case 1:
		d.Kind ^= 3
	case 2:
		d.Offset = tw.rng.Uint32()
	case 3:
		d.Length = tw.rng.Uint32() >> tw.rng.IntN(32)
	case 4:
		d.Count = tw.rng.Uint32() >> tw.rng.IntN(32)
	case 5:
		d.Stride = tw.rng.Uint32() >> tw.rng.IntN(32)
	}
}

// packet is what an out-descriptor says of one packet, or an event.
type packet struct {
	abi.Desc
	data string // in hexadecimal
}

// run runs the batch in both, to its end, and compares what came out.
func (tw *twins) run(kind abi.Kind, n int) {
	tw.t.Helper()
	var got [2][]packet
	var codes [2][]abi.Code
	var outs [2][]abitest.Out
	for i, w := range tw.both {
		call := w.Send
		if kind == abi.KindInput {
			call = w.Input
		}
		calls := 0
		outs[i], codes[i] = submit(w, n, func(now float64, n int32) int32 { calls++; return call(now, n) })
		tw.seen.calls[i] += calls
		got[i] = packets(outs[i])
	}
	if !slices.Equal(codes[0], codes[1]) {
		tw.t.Fatalf("codes %v with lanes, %v without", codes[0], codes[1])
	}
	for k := range max(len(got[0]), len(got[1])) {
		if k >= len(got[0]) || k >= len(got[1]) || got[0][k] != got[1][k] {
			tw.t.Fatalf("packet %d of %d with lanes and %d without:\n%+v\n%+v", k, len(got[0]), len(got[1]),
				got[0][min(k, len(got[0])):min(k+1, len(got[0]))], got[1][min(k, len(got[1])):min(k+1, len(got[1]))])
		}
	}
	tw.compare()
	tw.seen.batches++
	tw.count(got[0], codes[0])
	for i, w := range tw.both {
		w.Settle(outs[i])
	}
}

func (tw *twins) count(ps []packet, codes []abi.Code) {
	for _, p := range ps {
		switch {
		case p.Kind == abi.KindTransmit && len(p.data) > 4 && p.data[0] == '4':
			tw.seen.sent++
		case p.Kind == abi.KindData && p.Channel != 0:
			tw.seen.received++
		}
	}
	for _, code := range codes {
		if code != 0 {
			tw.seen.errors++
		}
	}
}

// submit runs n in-descriptors to their end. codes are their statuses.
func submit(w *abitest.World, n int, call func(float64, int32) int32) (outs []abitest.Out, codes []abi.Code) {
	for n > 0 {
		outs = append(outs, w.Read(call(abi.MS(w.Now), int32(n)))...)
		done := w.Header.Consumed()
		for i := range done {
			codes = append(codes, status(w, i))
		}
		for i := done; i < n; i++ {
			copy(w.Layout.In.At(w.Region, i-done), w.Layout.In.At(w.Region, i))
		}
		n -= done
		outs = w.Drain(outs)
	}
	return outs, codes
}

// packets takes runs apart. Where a packet lies does not matter: control-out's
// are read before they are written over.
func packets(outs []abitest.Out) (ps []packet) {
	for _, o := range outs {
		for _, data := range o.Packets {
			p := packet{o.Desc, hex.EncodeToString(data)}
			p.Offset, p.Count, p.Stride = 0, 0, 0
			ps = append(ps, p)
		}
	}
	return ps
}

// compare holds the memory that hosts see, and the counters, of one against the
// other's.
func (tw *twins) compare() {
	tw.t.Helper()
	a, b := tw.both[0], tw.both[1]
	if !bytes.Equal(a.Layout.Arena.Of(a.Region), b.Layout.Arena.Of(b.Region)) {
		tw.t.Fatal("the arenas differ")
	}
	if !bytes.Equal(a.Region[64:76], b.Region[64:76]) || !bytes.Equal(a.Region[80:128], b.Region[80:128]) {
		tw.t.Fatalf("the headers' live fields differ: % x, % x", a.Region[64:128], b.Region[64:128])
	}
}

func (tw *twins) compareCounters() {
	tw.t.Helper()
	for _, h := range tw.h {
		var stats [2]client.Stats
		for i, w := range tw.both {
			stats[i] = abi.ParseStats(w.Layout.ControlOut.Of(w.Region)[:w.Stats(h)])
		}
		if stats[0] != stats[1] {
			tw.t.Fatalf("counters with lanes, and without:\n%+v\n%+v", stats[0], stats[1])
		}
	}
}

func TestLanesAreTheMachinesOwnWay(t *testing.T) {
	var seen counts
	for seed := range uint64(100) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			tw := newTwins(t, seed, seed%2 == 1)
			for range 60 {
				tw.step()
			}
			seen.sent += tw.seen.sent
			seen.received += tw.seen.received
			seen.errors += tw.seen.errors
			seen.batches += tw.seen.batches
			for i, n := range tw.seen.calls {
				seen.calls[i] += n
			}
		})
	}
	stopped := min(seen.calls[0], seen.calls[1]) - seen.batches
	if seen.sent < 10000 || seen.received < 10000 || seen.errors < 500 || stopped < 500 {
		t.Errorf("the runs tested too little: %+v", seen)
	}
}
