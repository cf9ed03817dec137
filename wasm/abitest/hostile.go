package abitest

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"

	"github.com/turnwasm/turnwasm/wasm/abi"
)

var (
	peerList = []netip.AddrPort{Peer}

	hostileInts   = []int32{0, 1, -1, 2, 63, 1024, 1025, 16 << 10, 16<<10 + 1, 1 << 18, math.MaxInt32, math.MinInt32}
	hostileFloats = []float64{0, math.Copysign(0, -1), 1, -1, 1e-300, 9e12, 9.1e12, 1e300, math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN()}
)

// Hostile calls every export with every pair of odd numbers, on descriptors and
// records that are noise. The answers are codes, the descriptors point inside,
// and a client that is not named is as it was.
func Hostile(w *World) {
	w.t.Helper()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same numbers each time are the point
	bystander := w.Join(1)
	w.Order(bystander, abi.Command{Cmd: abi.CmdAllocate})
	h := w.Join(5)
	ints := append([]int32{h, h ^ 1<<18, h + 1}, hostileInts...)
	for _, now := range hostileFloats {
		for _, a := range ints {
			if a == bystander {
				continue
			}
			for _, b := range ints {
				w.Noise(random, h)
				w.hostileCalls(now, a, b)
			}
		}
	}
	w.Free(h)
	if w.State(bystander) <= 0 || w.Servers[bystander].Allocations() != 1 {
		w.t.Fatal("the bystander was touched")
	}
}

func (w *World) hostileCalls(now float64, a, b int32) {
	w.t.Helper()
	w.Read(max(0, w.Input(now, a&1023)))
	w.Read(max(0, w.Send(now, b&1023)))
	for name, answer := range map[string]int32{
		"turn_open":     w.Open(now, b),
		"turn_command":  w.Command(now, a, b),
		"turn_flow":     w.Flow(now, a, b, b),
		"turn_peer":     w.Peer(a, b),
		"turn_input":    w.Input(now, a),
		"turn_send":     w.Send(now, a),
		"turn_close":    w.Close(now, a, float64(b)),
		"turn_state":    w.State(a),
		"turn_stats":    w.Stats(a),
		"turn_parting":  w.Exports.Parting(now, a),
		"turn_snapshot": w.Snapshot(now, a, b, a),
		"turn_restore":  w.Restore(now, float64(a), b, a),
	} {
		if answer < int32(abi.CodeSnapshot) {
			w.t.Fatalf("%s(%v, %d, %d) = %d", name, now, a, b, answer)
		}
	}
	if next := w.Tick(now); !math.IsNaN(next) && !(next >= 0) {
		w.t.Fatalf("turn_tick(%v) = %v", now, next)
	}
	w.Drain(nil)
}

// Noise fills control-in and the first in-descriptors with random bytes, most
// of them with a grain of sense.
func (w *World) Noise(random *rand.Rand, h int32) {
	in := w.Layout.ControlIn.Of(w.Region)[:256]
	for i := range in {
		in[i] = byte(random.Uint32())
	}
	for i := 0; i < len(in) && random.IntN(4) > 0; {
		n := random.IntN(24)
		binary.LittleEndian.PutUint16(in[i:], uint16(random.IntN(0x42)))
		binary.LittleEndian.PutUint16(in[min(i+2, 254):], uint16(n))
		i += 4 + (n+3)&^3
	}
	for i := range 16 {
		v := w.Layout.In.At(w.Region, i)
		for at := range v {
			v[at] = byte(random.Uint32())
		}
		if random.IntN(3) > 0 {
			v.SetClient(h)
			v.SetKind(abi.Kind(1 + random.IntN(2)))
			v.SetSpan(w.Layout.Arena.Offset+uint32(random.IntN(4096)), uint32(random.IntN(2048)))
			v.SetRun(uint32(random.IntN(4)), uint32(random.IntN(4096)))
		}
	}
}
