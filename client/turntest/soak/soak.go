package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/turnwasm/turnwasm/client/turntest"
)

// tally sums up runs; the workers share it.
type tally struct {
	mu       sync.Mutex
	next     uint64 // seed
	end      uint64
	runs     int
	steps    int
	virtual  time.Duration
	counters turntest.Counters
	failed   []*turntest.Report
}

// everyTwice is how often a seed is run a second time, to see that it goes the
// same way (I9).
const everyTwice = 16

// soak runs many seeds.
func soak(o options, out io.Writer) int {
	start := time.Now()
	t := &tally{next: o.first, end: o.first + uint64(o.seeds), counters: turntest.Counters{}}
	var wg sync.WaitGroup
	for range o.workers {
		wg.Go(func() {
			for seed, ok := t.take(o.stopAfter); ok; seed, ok = t.take(o.stopAfter) {
				t.add(runOne(seed))
			}
		})
	}
	wg.Wait()
	return t.print(out, o, time.Since(start))
}

// runOne runs a seed, some of them twice.
func runOne(seed uint64) *turntest.Report {
	r := turntest.Run(seed, turntest.Options{})
	if seed%everyTwice == 0 {
		if again := turntest.Run(seed, turntest.Options{}); again.Hash != r.Hash {
			r.Violations = append(r.Violations, turntest.Violation{
				Rule: "I9", Client: "world", What: fmt.Sprintf("two runs differ: %x and %x", r.Hash[:8], again.Hash[:8]),
			})
		}
	}
	return r
}

// take hands out the next seed, until there are no more or enough has failed.
func (t *tally) take(stopAfter int) (uint64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next >= t.end || len(t.failed) >= stopAfter {
		return 0, false
	}
	t.next++
	return t.next - 1, true
}

func (t *tally) add(r *turntest.Report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs++
	t.steps += r.Steps
	t.virtual += r.Virtual
	t.counters.Add(r.Counters)
	if len(r.Violations) > 0 {
		t.failed = append(t.failed, r)
	}
}

// enough is from how many seeds on everything is expected to have happened.
const enough = 2000

func (t *tally) print(out io.Writer, o options, took time.Duration) int {
	t.counters.Print(out)
	fmt.Fprintf(out, "%d seeds, %d steps, %.0f virtual hours in %v: %.0f virtual hours a second\n",
		t.runs, t.steps, t.virtual.Hours(), took.Round(time.Millisecond), t.virtual.Hours()/took.Seconds())
	code := 0
	for _, r := range t.failed {
		code = 1
		for _, v := range r.Violations {
			fmt.Fprintf(out, "VIOLATION seed %d: %v\n", r.Seed, v)
		}
		fmt.Fprintf(out, "  replay: %s\n", again(r.Seed))
	}
	if missing := t.counters.Missing(); len(missing) > 0 && o.seeds >= enough {
		fmt.Fprintf(out, "NEVER HAPPENED: %q\n", missing)
		code = 1
	}
	return code
}

// replay runs one seed, with its transcript if that is wanted.
func replay(o options, out io.Writer) int {
	opts := turntest.Options{}
	if o.verbose {
		opts.Transcript = out
	}
	r := turntest.Run(o.seed, opts)
	fmt.Fprintf(out, "seed %d: %d steps, %v, transcript %x\n", r.Seed, r.Steps, r.Virtual, r.Hash[:8])
	for _, v := range r.Violations {
		fmt.Fprintf(out, "VIOLATION seed %d: %v\n", r.Seed, v)
	}
	if len(r.Violations) > 0 {
		return 1
	}
	return 0
}
