package main

import "time"

// cell is a named spec: one line of the table.
type cell struct {
	name string
	spec
	coturn bool // through a real coturn
}

const (
	payloadSize = 1200
	inRun       = 54 // payloads of that size, with their headers, in 64 KiB
)

// frames is a batch of unlike sizes, as a video sender has it: frames of a few
// full packets and a shorter one at the end.
var frames = func() (sizes []int) {
	tails := []int{200, 700, 1000, 332, 52, 852, 444, 1100}
	for i, full := range []int{7, 11, 4, 8, 6, 10, 5, 5} {
		for range full {
			sizes = append(sizes, payloadSize)
		}
		sizes = append(sizes, tails[i])
	}
	return sizes
}()

func equal(n int) []int {
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = payloadSize
	}
	return sizes
}

// What the clients do. The far side reads with GRO unless it is called plain.
var (
	runs  = spec{Work: workRuns, Sizes: equal(inRun), Writers: 1, Window: 2048, Coalesce: true}
	mixed = spec{Work: workMixed, Sizes: frames, Writers: 1, Window: 2048, Coalesce: true}
	write = spec{Work: workWrite, Sizes: equal(1), Writers: 1, Window: 2048, Coalesce: true}
	// A coalescing network card delivers runs; 40,000 packets a second is less
	// than half of what pion's client takes in.
	coalesced = spec{Work: workBatches, Sizes: equal(1), Rate: 40_000, Burst: inRun, Offload: true}
	bursts    = spec{Work: workBatches, Sizes: equal(1), Rate: 20_000, Burst: 4}
	pingpong  = spec{Work: workPingPong, Sizes: equal(1)}
)

func (s spec) by(who string) spec           { s.Who = who; return s }
func (s spec) plain() spec                  { s.Coalesce = false; return s }
func (s spec) from(n int) spec              { s.Writers = n; return s }
func (s spec) every(gap time.Duration) spec { s.Gap = gap; return s }
func (s spec) reading() spec                { s.Work = workRead; return s }

// few keeps within what a server's socket takes that has not asked for more.
func (s spec) few(n int) spec {
	s.Window = 64
	s.Sizes = s.Sizes[:n]
	return s
}

const pacedGap = 20 * time.Microsecond

// cells are all that is run in each round.
var cells = []cell{
	{name: "send runs, ours", spec: runs.by("ours-wasm")},
	{name: "send runs, ours native", spec: runs.by("ours-native")},
	{name: "send runs, raw GSO", spec: runs.by("raw-gso")},
	{name: "send runs, raw GSO + copy", spec: runs.by("raw-gso-copy")},
	{name: "send one by one, pion", spec: write.by("pion")},
	{name: "send one by one, raw", spec: write.by("raw")},
	{name: "send one by one, ours", spec: write.by("ours-wasm")},
	{name: "send runs, plain far, ours", spec: runs.plain().by("ours-wasm")},
	{name: "send runs, plain far, raw GSO", spec: runs.plain().by("raw-gso")},
	{name: "send one by one, plain far, pion", spec: write.plain().by("pion")},
	{name: "send mixed, ours", spec: mixed.by("ours-wasm")},
	{name: "send mixed, ours native", spec: mixed.by("ours-native")},
	{name: "send mixed, raw GSO", spec: mixed.by("raw-gso")},
	{name: "send from 8, ours", spec: write.from(8).by("ours-wasm")},
	{name: "send from 8, pion", spec: write.from(8).by("pion")},
	{name: "send paced, ours", spec: write.every(pacedGap).by("ours-wasm")},
	{name: "send paced, pion", spec: write.every(pacedGap).by("pion")},
	{name: "send paced, raw", spec: write.every(pacedGap).by("raw")},
	{name: "receive batches, ours", spec: coalesced.by("ours-wasm")},
	{name: "receive batches, raw GRO", spec: coalesced.by("raw-gso")},
	{name: "receive one by one, ours", spec: coalesced.reading().by("ours-wasm")},
	{name: "receive one by one, pion", spec: coalesced.reading().by("pion")},
	{name: "receive one by one, raw", spec: coalesced.reading().by("raw")},
	{name: "receive bursts of 4, ours", spec: bursts.by("ours-wasm")},
	{name: "receive bursts of 4, pion", spec: bursts.reading().by("pion")},
	{name: "receive bursts of 4, raw", spec: bursts.reading().by("raw")},
	{name: "ping-pong, ours", spec: pingpong.by("ours-wasm")},
	{name: "ping-pong, pion", spec: pingpong.by("pion")},
	{name: "ping-pong, raw", spec: pingpong.by("raw")},
	{name: "through coturn, runs, ours", spec: runs.few(16).by("ours-wasm"), coturn: true},
	{name: "through coturn, one by one, pion", spec: write.few(1).by("pion"), coturn: true},
}
