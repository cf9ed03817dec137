package idlebench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Full is what an instance came to that was filled until it takes no more.
type Full struct {
	// Clients is how many turn_open took, Memory what was in use when it
	// refused, Peak the linear memory at the end.
	Clients, Memory, Peak int
	// Refused is how many commands were for want of memory.
	Refused int
	// Refusal is the processor time of a turn_open that refuses.
	Refusal time.Duration
}

// Brim fills an instance with clients until turn_open refuses, at most so
// many; lets them go through the worst that they can all come to at once;
// and closes them. The error says what was lost: no client may be.
//
// With late, the server answers none before all are open, so that each has
// most of its growth before it when turn_open refuses.
func Brim(ctx context.Context, m *Module, most int, late bool) (Full, error) {
	f, err := newFleet(ctx, m, most)
	if err != nil {
		return Full{}, err
	}
	defer f.module.Close(ctx)
	f.header.SetMemoryLimit(uint32(min(m.memoryLimit, uint64(f.header.MemoryLimit()))))
	n := f.fill(late)
	full := Full{Clients: n, Memory: f.memory(), Refusal: f.refusal()}
	f.run(f.now + time.Second)
	f.deafness(n)
	f.run(f.now + 10*time.Minute)
	f.leave(n)
	full.Peak, full.Refused = f.memory(), f.refused
	return full, f.err
}

// fill opens clients until one is refused.
func (f *fleet) fill(late bool) (n int) {
	for ; n < len(f.users) && f.err == nil; n++ {
		err := f.open(n)
		if errors.Is(err, client.ErrLimit) {
			return n
		}
		f.note(err)
		if !late {
			f.run(f.now + time.Millisecond)
		}
	}
	f.note(fmt.Errorf("%w: %d clients and no end", errFailed, n))
	return n
}

// refusal is what turn_open takes to refuse.
func (f *fleet) refusal() time.Duration {
	const times = 1000
	f.resetCalls()
	for range times {
		if err := f.open(len(f.users) - 1); !errors.Is(err, client.ErrLimit) {
			f.note(fmt.Errorf("%w: refused, then %v", errFailed, err))
		}
	}
	return f.calls.Total / times
}

// deafness: all refresh in one instant, and the server hears none of it for as
// long as they are patient. Then it answers to all at once.
func (f *fleet) deafness(n int) {
	f.deaf = true
	for i := range n {
		f.command(i, &abi.Command{Cmd: abi.CmdRefresh})
	}
	f.run(f.now + 20*time.Second)
	f.deaf = false
	f.run(f.now + 20*time.Second)
}

func (f *fleet) leave(n int) {
	for i := range n {
		f.close(i)
	}
	f.run(f.now + linger)
	if left := f.header.Clients(); f.err == nil && left > 0 {
		f.note(fmt.Errorf("%w: %d did not leave", errFailed, left))
	}
}
