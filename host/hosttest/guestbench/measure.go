package guestbench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

const (
	payload = 1200
	batch   = 64
	run     = 54
)

// Figure is what one packet costs inside the module, the call included.
type Figure struct {
	Name    string  // of the ratio line
	Send    float64 // ns a packet: the medians of the rounds
	Receive float64
}

// Worst is the dearer direction.
func (f Figure) Worst() float64 { return max(f.Send, f.Receive) }

// Guest is what Measure finds.
type Guest struct {
	One, Batch, Run Figure // guest-ns-1, guest-ns-64, guest-ns-run54
	// Grown is by how many bytes linear memory grew while Packets packets
	// went through it. What allocates for each packet cannot stay at 0: the
	// data path gives the collector no turn.
	Grown   int64
	Packets int64
}

// Figures are the three, in the order of the table.
func (g *Guest) Figures() []Figure { return []Figure{g.One, g.Batch, g.Run} }

// Measure takes so many rounds of every call in turn and answers the medians of
// the processor time that they took.
func Measure(ctx context.Context, module []byte, rounds int) (*Guest, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	g, err := newGuest(ctx, module)
	if err != nil {
		return nil, err
	}
	defer g.close()
	works := g.works()
	for i := range works { // the first calls lay what later ones use
		if err := works[i].round(g, 10*time.Millisecond); err != nil {
			return nil, err
		}
		works[i].samples = nil
	}
	before := g.module.Memory().Size()
	for range rounds {
		for i := range works {
			if err := works[i].round(g, 20*time.Millisecond); err != nil {
				return nil, err
			}
		}
	}
	r := &Guest{Grown: int64(g.module.Memory().Size()) - int64(before)}
	for i, f := range []*Figure{&r.One, &r.Batch, &r.Run} {
		send, receive := &works[2*i], &works[2*i+1]
		*f = Figure{send.name, send.median(), receive.median()}
		r.Packets += send.packets + receive.packets
	}
	return r, nil
}

// work is one kind of call.
type work struct {
	name    string
	lay     func() // its in-descriptors
	call    api.Function
	items   int // in-descriptors a call
	outs    int // out-descriptors that it must answer
	each    int // packets a call
	packets int64
	samples []float64
}

func (g *guest) works() []work {
	one := func(n int) work { return work{items: n, outs: n, each: n} }
	return []work{
		one(1).as("guest-ns-1", g.send, func() { g.laySends(1) }),
		one(1).as("guest-ns-1", g.input, func() { g.layInputs(1) }),
		one(batch).as("guest-ns-64", g.send, func() { g.laySends(batch) }),
		one(batch).as("guest-ns-64", g.input, func() { g.layInputs(batch) }),
		work{items: 1, outs: 1, each: run}.as("guest-ns-run54", g.send, g.laySendRun),
		work{items: 1, outs: 1, each: run}.as("guest-ns-run54", g.input, g.layInputRun),
	}
}

func (w work) as(name string, call api.Function, lay func()) work {
	w.name, w.call, w.lay = name, call, lay
	return w
}

// round calls for about so long and takes a sample.
func (w *work) round(g *guest, about time.Duration) error {
	w.lay()
	calls, start := 0, cpuTime()
	for elapsed := time.Duration(0); elapsed < about; elapsed = cpuTime() - start {
		for range 256 {
			outs, err := g.batch(w.call, w.items)
			if err != nil {
				return err
			}
			if outs != w.outs {
				return fmt.Errorf("%s: %d out-descriptors, want %d", w.name, outs, w.outs)
			}
		}
		calls += 256
	}
	w.packets += int64(calls * w.each)
	w.samples = append(w.samples, float64((cpuTime() - start).Nanoseconds())/float64(calls*w.each))
	return nil
}

func (w *work) median() float64 {
	slices.Sort(w.samples)
	if len(w.samples) == 0 {
		return 0
	}
	return w.samples[len(w.samples)/2]
}

func (g *guest) laySends(n int) {
	for i := range n {
		at := g.layout.Arena.Offset + abi.Headroom + uint32(i)*2048
		g.put(i, abi.Desc{Kind: abi.KindSend, Peer: g.peer, Offset: at, Count: 1}, make([]byte, payload))
	}
}

func (g *guest) layInputs(n int) {
	for i := range n {
		at := g.layout.Arena.Offset + uint32(i)*2048
		g.put(i, abi.Desc{Kind: abi.KindInput, Offset: at}, turntest.ChannelData(g.number, make([]byte, payload)))
	}
}

func (g *guest) laySendRun() {
	g.put(0, abi.Desc{
		Kind: abi.KindSend, Peer: g.peer, Offset: g.layout.Arena.Offset + abi.Headroom,
		Length: payload, Count: run, Stride: payload + 4,
	}, nil)
}

func (g *guest) layInputRun() {
	var whole []byte
	for range run {
		whole = append(whole, turntest.ChannelData(g.number, make([]byte, payload))...)
	}
	g.put(0, abi.Desc{Kind: abi.KindInput, Offset: g.layout.Arena.Offset, Stride: payload + 4}, whole)
}
