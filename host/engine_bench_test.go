package host

import (
	"crypto/rand"
	"net/netip"
	"testing"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/abitest"
)

// benchEngines runs a benchmark of calls that move so many packets each, with a
// client that has a channel.
func benchEngines(b *testing.B, packets int, prepare func(w *abitest.World, h int32, channel uint16), call func(e engine)) {
	for name, f := range map[string]func() engineFactory{
		"native": func() engineFactory { return nativeEngines{rand.Reader} },
		"wasm":   func() engineFactory { return wazeroForTest(b) },
	} {
		b.Run(name, func(b *testing.B) {
			w, e := worldOf(b, f())
			h := w.Join(1)
			w.Order(h, abi.Command{Cmd: abi.CmdAllocate})
			w.Order(h, abi.Command{Cmd: abi.CmdBindChannel, Peers: []netip.AddrPort{abitest.Peer}})
			bound := w.Events[h][len(w.Events[h])-1]
			if bound.Kind != client.ChannelBound {
				b.Fatalf("no channel: %+v", w.Events[h])
			}
			prepare(w, h, bound.Channel)
			b.ReportAllocs()
			for b.Loop() {
				call(e)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(packets), "ns/packet")
		})
	}
}

func benchmarkInput(b *testing.B, n int) {
	benchEngines(b, n, func(w *abitest.World, h int32, channel uint16) {
		for i := range n {
			d := abi.Desc{Client: h, Kind: abi.KindInput, Offset: w.Layout.Arena.Offset + uint32(i)*2048}
			d.Length = uint32(copy(w.Region[d.Offset:], turntest.ChannelData(channel, make([]byte, 1200))))
			d.Store(w.Layout.In.At(w.Region, i))
		}
	}, func(e engine) { e.input(1000, int32(n)) })
}

func BenchmarkEngineInput1(b *testing.B)  { benchmarkInput(b, 1) }
func BenchmarkEngineInput8(b *testing.B)  { benchmarkInput(b, 8) }
func BenchmarkEngineInput64(b *testing.B) { benchmarkInput(b, 64) }

func BenchmarkEngineInputRun54(b *testing.B) {
	benchEngines(b, 54, func(w *abitest.World, h int32, channel uint16) {
		d := abi.Desc{Client: h, Kind: abi.KindInput, Offset: w.Layout.Arena.Offset, Stride: 1204}
		for range 54 {
			d.Length += uint32(copy(w.Region[d.Offset+d.Length:], turntest.ChannelData(channel, make([]byte, 1200))))
		}
		d.Store(w.Layout.In.At(w.Region, 0))
	}, func(e engine) { e.input(1000, 1) })
}

func benchmarkSend(b *testing.B, n int) {
	benchEngines(b, n, func(w *abitest.World, h int32, _ uint16) {
		peer := uint32(w.Peer(h, w.Control(abi.AppendPeer(nil, abitest.Peer))))
		for i := range n {
			d := abi.Desc{
				Client: h, Kind: abi.KindSend, Peer: peer, Offset: w.Layout.Arena.Offset + 64 + uint32(i)*2048,
				Length: 1200, Count: 1,
			}
			d.Store(w.Layout.In.At(w.Region, i))
		}
	}, func(e engine) { e.send(1000, int32(n)) })
}

func BenchmarkEngineSend1(b *testing.B)  { benchmarkSend(b, 1) }
func BenchmarkEngineSend64(b *testing.B) { benchmarkSend(b, 64) }

func BenchmarkEngineSendRun54(b *testing.B) {
	benchEngines(b, 54, func(w *abitest.World, h int32, _ uint16) {
		d := abi.Desc{
			Client: h, Kind: abi.KindSend, Addr: abitest.Peer, Offset: w.Layout.Arena.Offset + 64,
			Length: 1200, Count: 54, Stride: 1204,
		}
		d.Store(w.Layout.In.At(w.Region, 0))
	}, func(e engine) { e.send(1000, 1) })
}

// BenchmarkEngineNothing is what a call costs by itself.
func BenchmarkEngineNothing(b *testing.B) {
	benchEngines(b, 1, func(*abitest.World, int32, uint16) {}, func(e engine) {
		if w, ok := e.(*wazeroEngine); ok {
			if v, err := w.i32("turn_abi_version", w.abiVersion); v != abi.Version || err != nil {
				b.Fatal(v, err)
			}
		}
	})
}

func BenchmarkEngineInput0(b *testing.B) {
	benchEngines(b, 1, func(*abitest.World, int32, uint16) {}, func(e engine) { e.input(1000, 0) })
}
