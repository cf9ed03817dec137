package main

import (
	"fmt"
	"runtime"
	"sync"
	"time"
)

// sending is the sending half of a cell: writers that send until an instant.
type sending struct {
	spec *spec
	gate *gate
	// step sends the next payloads of one writer.
	steps []func() error
	spun  time.Duration
}

// send warms up, drains, and measures from there until the far side has the
// last packet: what waits in a queue is not left out.
func send(c contestant, s *spec) (*told, error) {
	g, err := newGate(creditPipe, s.Window)
	if err != nil {
		return nil, err
	}
	w := &sending{spec: s, gate: g}
	for range s.Writers {
		step, err := newStep(c, s, g)
		if err != nil {
			return nil, err
		}
		w.steps = append(w.steps, step)
	}
	if err := w.run(s.Warm); err != nil {
		return nil, err
	}
	t := &told{}
	before, waits := g.given.Load(), g.waits
	w.spun = 0
	u, err := s.begin()
	if err != nil {
		return nil, err
	}
	if err := w.run(s.Measure); err != nil {
		return nil, err
	}
	u.end(t)
	t.CPU, t.Spun = t.CPU-w.spun, w.spun
	t.Total = g.given.Load()
	t.Packets, t.Waits, t.Stalls = t.Total-before, g.waits-waits, g.stalls
	return t, nil
}

func (w *sending) run(d time.Duration) error {
	until := time.Now().Add(d)
	failed := make(chan error, len(w.steps))
	var all sync.WaitGroup
	for _, step := range w.steps {
		all.Go(func() { failed <- w.write(step, until) })
	}
	all.Wait()
	for range w.steps {
		if err := <-failed; err != nil {
			return err
		}
	}
	return w.gate.drain()
}

// write is one writer. The clock is read once in a while.
func (w *sending) write(step func() error, until time.Time) error {
	if w.spec.Gap > 0 {
		return w.writePaced(step, until)
	}
	for time.Now().Before(until) {
		for range 16 {
			if err := step(); err != nil {
				return err
			}
		}
	}
	return nil
}

// writePaced spins after each step: the kernel's timers are tens of
// microseconds late, and waking up costs more than a packet. What the spinning
// takes is the application's own and is left out of the figure.
func (w *sending) writePaced(step func() error, until time.Time) error {
	runtime.LockOSThread() // whose CPU time is read
	defer runtime.UnlockOSThread()
	for time.Now().Before(until) {
		if err := step(); err != nil {
			return err
		}
		spun := threadTime()
		for start := time.Now(); time.Since(start) < w.spec.Gap; {
		}
		w.spun += threadTime() - spun
	}
	return nil
}

// newStep is what one writer does again and again.
func newStep(c contestant, s *spec, g *gate) (func() error, error) {
	b, can := c.(batcher)
	switch {
	case s.Work == workWrite:
		return writeStep(c, g, s.Sizes[0]), nil
	case !can:
		return nil, fmt.Errorf("%s has no batches", s.Who)
	}
	out, err := b.outgoing(s.Sizes, s.Work == workRuns)
	if err != nil {
		return nil, err
	}
	return batchStep(out, g, len(s.Sizes)), nil
}

func writeStep(c contestant, g *gate, size int) func() error {
	payload := make([]byte, size)
	return func() error {
		number, err := g.take(1)
		if err != nil {
			return err
		}
		fill(payload, number)
		return c.write(payload)
	}
}

func batchStep(out outgoing, g *gate, n int) func() error {
	return func() error {
		first, err := g.take(n)
		if err != nil {
			return err
		}
		for i := range n {
			fill(out.payload(i), first+uint64(i))
		}
		return out.send()
	}
}
