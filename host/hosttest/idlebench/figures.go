package idlebench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Churn is what a churn came to.
type Churn struct {
	// Clients are alive at the end. Bytes is the linear memory that each of
	// them costs: what the instance has grown by since it was empty, at its
	// peak, as linear memory never shrinks.
	Clients, Bytes int
	// Memory is all linear memory.
	Memory int
	// Opened is the growth a client when all had been opened.
	Opened int
	Calls  Calls
}

// Spread is how the clients of a churn lie in time.
type Spread time.Duration

const (
	// AtOnce: all are opened, and so refreshed, in the same instant, and the
	// server answers when it has heard them all.
	AtOnce Spread = 0
	// Evenly: they are opened one after the other, over as long as a
	// permission goes without a refresh.
	Evenly = Spread(4 * time.Minute)
)

// Idle opens n clients, lets each be refreshed three times, with a tenth
// closed and replaced between.
func Idle(ctx context.Context, m *Module, n int, s Spread) (Churn, error) {
	f, err := newFleet(ctx, m, n)
	if err != nil {
		return Churn{}, err
	}
	defer f.module.Close(ctx)
	opened := f.churn(s)
	return Churn{
		Clients: f.header.Clients(), Bytes: (f.memory() - f.empty) / n, Memory: f.memory(),
		Opened: (opened - f.empty) / n, Calls: f.calls,
	}, f.err
}

// churn answers the memory when all had been opened.
func (f *fleet) churn(s Spread) (opened int) {
	n := len(f.users)
	start := f.now
	f.each(s, 1, func(i int) { f.note(f.open(i)) })
	f.run(f.now + time.Second)
	opened = f.memory()
	f.run(start + time.Duration(s) + f.refresh)
	f.each(s, 10, f.close)
	f.run(f.now + linger)
	f.each(s, 10, func(i int) { f.note(f.open(i)) })
	for f.refreshes < 3*n && f.err == nil {
		f.run(f.now + f.refresh)
	}
	f.run(f.now + time.Second)
	if alive := f.header.Clients(); f.err == nil && alive != n {
		f.note(fmt.Errorf("%w: %d of %d are alive", errFailed, alive, n))
	}
	return opened
}

// each does something to every step-th client, so that all of them would take
// as long as the spread.
func (f *fleet) each(s Spread, step int, do func(i int)) {
	start := f.now
	for i := 0; i < len(f.users) && f.err == nil; i += step {
		do(i)
		f.run(start + time.Duration(s)*time.Duration(i+step)/time.Duration(len(f.users)))
	}
}

// LongestCall is about ten seconds in which each of n idle clients is refreshed
// once, one after the other, beside what they refresh by themselves.
func LongestCall(ctx context.Context, m *Module, n int) (Calls, error) {
	f, err := newFleet(ctx, m, n)
	if err != nil {
		return Calls{}, err
	}
	defer f.module.Close(ctx)
	f.each(Evenly, 1, func(i int) { f.note(f.open(i)) })
	f.run(f.now + time.Second)
	f.resetCalls()
	f.each(Spread(10*time.Second), 1, func(i int) { f.command(i, &abi.Command{Cmd: abi.CmdRefresh}) })
	f.run(f.now + roundTrip)
	return f.calls, f.err
}

// Tick is the time that a tick takes which finds nothing due while n clients
// are idle: the median of many.
func Tick(ctx context.Context, m *Module, n int) (time.Duration, error) {
	f, err := newFleet(ctx, m, n)
	if err != nil {
		return 0, err
	}
	defer f.module.Close(ctx)
	f.each(Evenly, 1, func(i int) { f.note(f.open(i)) })
	f.run(f.now + time.Second)
	const ticks = 20_001
	took := make([]time.Duration, ticks)
	f.now = min(f.now, f.deadline()-time.Microsecond)
	for i := range took {
		start := time.Now()
		f.note(f.call("turn_tick", f.ms()))
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[ticks/2], f.err
}
