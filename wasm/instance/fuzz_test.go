package instance_test

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/abitest"
)

// program reads a fuzzer's bytes as a list of calls and their arguments.
type program []byte

func (p *program) bytes(n int) []byte {
	n = min(n, len(*p))
	b := (*p)[:n]
	*p = (*p)[n:]
	return b
}

func (p *program) number() uint32 {
	var b [4]byte
	copy(b[:], p.bytes(4))
	return binary.LittleEndian.Uint32(b[:])
}

func (p *program) byte() byte {
	var b [1]byte
	copy(b[:], p.bytes(1))
	return b[0]
}

// FuzzCalls makes any calls with any arguments, records and descriptors, and
// checks after each that what the instance says is consistent, and at the end
// that a client which was not named is as it was.
func FuzzCalls(f *testing.F) {
	cfg := abitest.Config()
	f.Add(append([]byte{0, 255}, abi.AppendConfig(nil, &cfg, nil)...))
	f.Add(append([]byte{1, 8}, abi.AppendCommand(nil, &abi.Command{Cmd: abi.CmdAllocate})...))
	f.Add([]byte{4, 0, 0, 1, 0, 64, 0, 0, 0, 7, 6, 8, 9, 2, 3})
	f.Add([]byte{5, 0, 1, 16, 0, 100, 0, 0, 0, 9, 104, 0, 0, 0, 6, 10, 11, 12})
	f.Fuzz(func(t *testing.T, bytes []byte) {
		w := newWorldOf(t, abi.NewLayout(4096, 128<<10, 4, 64, 64<<10))
		bystander, _ := bound(t, w)
		h, _ := bound(t, w)
		p := program(bytes)
		for calls := 0; len(p) > 0 && calls < 64; calls++ {
			fuzzCall(t, w, &p, h)
			w.Drain(nil)
			if next := w.Header.Next(); math.IsNaN(next) || w.Header.Clients() < 1 {
				t.Fatalf("next deadline %v, %d clients", next, w.Header.Clients())
			}
		}
		w.Now = max(w.Now, 90*time.Second)
		if outcome := w.Leave(bystander, 2*time.Second); outcome != client.Released {
			t.Fatalf("the bystander's close: %v", outcome)
		}
	})
}

func fuzzCall(t *testing.T, w *abitest.World, p *program, h int32) {
	t.Helper()
	op := p.byte()
	if op >= 128 {
		h = int32(p.number()) & 0x4003ffff // seldom a handle that exists, never the bystander's
		if h&0x3ffff == 0 {
			h++
		}
	}
	now := float64(op) * 100
	record := func() int32 { return w.Control(p.bytes(int(p.byte()))) }
	switch op % 13 {
	case 0:
		if handle := w.Open(now, record()); handle > 0 {
			w.Free(handle)
		}
	case 1:
		w.Command(now, h, record())
	case 2:
		w.Peer(h, record())
	case 3:
		w.Flow(now, h, int32(p.byte()), int32(p.byte()%5))
	case 4:
		fuzzDesc(w, p, h, abi.KindInput)
		w.Read(max(0, w.Input(now, int32(p.byte()%4))))
	case 5:
		fuzzDesc(w, p, h, abi.KindSend)
		w.Read(max(0, w.Send(now, int32(p.byte()%4))))
	case 6:
		w.Tick(now)
	case 7:
		w.Poll()
	case 8:
		w.Close(now, h, float64(p.byte()))
	case 9:
		w.State(h)
	case 10:
		w.Stats(h)
	case 11:
		w.Read(max(0, w.Exports.Parting(now, h)))
	case 12:
		w.Free(h)
	}
}

// fuzzDesc fills the first three in-descriptors and the arena behind them.
func fuzzDesc(w *abitest.World, p *program, h int32, kind abi.Kind) {
	for i := range 3 {
		d := abi.Desc{
			Client: h, Kind: kind, Flow: uint32(p.byte() & 1), Addr: abitest.Peer,
			Offset: w.Layout.Arena.Offset + p.number()&0x1ffff, Length: p.number() & 0xffff,
			Count: uint32(p.byte()), Stride: p.number() & 0xffff,
		}
		if kind == abi.KindInput {
			d.Addr, d.Count = abitest.ServerAddr, d.Count&1
		}
		if w.Layout.Arena.Holds(d.Offset, 256) {
			copy(w.Region[d.Offset:], p.bytes(int(p.byte())))
		}
		d.Store(w.Layout.In.At(w.Region, i))
	}
}
