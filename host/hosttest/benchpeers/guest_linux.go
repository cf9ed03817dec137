package main

import (
	"context"
	"fmt"
	"math"

	"github.com/turnwasm/turnwasm/host/hosttest/guestbench"
	"github.com/turnwasm/turnwasm/wasm"
)

// guestFigures are what a packet costs inside the module, measured once.
func (b *bench) guestFigures(ctx context.Context) (_ *guestbench.Guest, err error) {
	if b.guest == nil {
		b.guest, err = guestbench.Measure(ctx, wasm.Module(), b.times(9))
	}
	return b.guest, err
}

func guestOne(ctx context.Context, b *bench) ([]float64, error) {
	return b.guestFigure(ctx, func(g *guestbench.Guest) guestbench.Figure { return g.One })
}

func guestBatch(ctx context.Context, b *bench) ([]float64, error) {
	return b.guestFigure(ctx, func(g *guestbench.Guest) guestbench.Figure { return g.Batch })
}

func guestRun(ctx context.Context, b *bench) ([]float64, error) {
	return b.guestFigure(ctx, func(g *guestbench.Guest) guestbench.Figure { return g.Run })
}

// guestFigure is the dearer direction's.
func (b *bench) guestFigure(ctx context.Context, of func(*guestbench.Guest) guestbench.Figure) ([]float64, error) {
	g, err := b.guestFigures(ctx)
	if err != nil {
		return nil, err
	}
	f := of(g)
	fmt.Fprintf(b.out, "%s: send %.1f ns, receive %.1f ns\n", f.Name, f.Send, f.Receive)
	return []float64{f.Worst()}, nil
}

// dataCells are the cells of the public calls of the data path, in both
// directions.
var dataCells = []string{
	"send runs, ours", "send mixed, ours", "send one by one, ours", "send from 8, ours",
	"receive batches, ours", "receive one by one, ours", "receive bursts of 4, ours",
}

// allocations a packet, in the whole process of the client, of the worst of
// those cells in each round, to a thousandth: what a timer allocates a few times
// a second is below that, and is printed. The module's memory must not have grown either.
func allocations(ctx context.Context, b *bench) (out []float64, err error) {
	g, err := b.guestFigures(ctx)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(b.out, "linear memory grew by %d bytes under %d packets\n", g.Grown, g.Packets)
	for _, round := range b.rounds {
		worst, name := 0.0, ""
		for _, cell := range dataCells {
			if r := round[cell]; r != nil && r.mallocsPerPacket() >= worst {
				worst, name = r.mallocsPerPacket(), cell
			}
		}
		if name == "" {
			continue
		}
		fmt.Fprintf(b.out, "heap objects a packet, at most: %.5f (%s)\n", worst, name)
		out = append(out, math.Round(worst*1000)/1000+float64(g.Grown))
	}
	return out, nil
}
