package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/turnwasm/turnwasm/host/hosttest/idlebench"
)

// idling is a figure about clients at rest. Each is taken in a process of its
// own, which starts with nothing on its heap.
type idling string

const (
	idlingBytes idling = "bytes" // of linear memory a client, after a churn
	idlingCall  idling = "call"  // the longest call in 10 s of refresh traffic
	idlingTick  idling = "tick"  // that finds nothing due
)

// idle is what such a process says.
type idle struct {
	Value float64
	Note  string
}

// clients is how many there are: in a quick run, a handful.
func (b *bench) clients(n int) int {
	if b.quick {
		return n / 100
	}
	return n
}

func (b *bench) idle(ctx context.Context, what idling, clients int) (float64, error) {
	n := b.clients(clients)
	c, err := startChild(ctx, "idle", &spec{Idling: what, Clients: n}, nil)
	if err != nil {
		return 0, err
	}
	var i idle
	if err := c.answer(&i); err != nil {
		return 0, err
	}
	fmt.Fprintf(b.out, "%d idle clients: %s\n", n, i.Note)
	return i.Value, c.end()
}

// runIdle is that process.
func runIdle(ctx context.Context, s *spec) error {
	m, err := idlebench.Compile(ctx, 0)
	if err != nil {
		return err
	}
	defer m.Close(ctx)
	var i idle
	switch s.Idling {
	case idlingBytes:
		c, err := idlebench.Idle(ctx, m, s.Clients, idlebench.Evenly)
		if err != nil {
			return err
		}
		i = idle{float64(c.Bytes), fmt.Sprintf("%d bytes of linear memory each after a churn, %d before it", c.Bytes, c.Opened)}
	case idlingCall:
		c, err := idlebench.LongestCall(ctx, m, s.Clients)
		if err != nil {
			return err
		}
		i = idle{milliseconds(c.CPU), fmt.Sprintf("the longest of %d calls took %.2f ms of its thread's CPU (%s); by the wall %.2f ms",
			c.Calls, milliseconds(c.CPU), c.By, milliseconds(c.Longest))}
	case idlingTick:
		took, err := idlebench.Tick(ctx, m, s.Clients)
		if err != nil {
			return err
		}
		i = idle{float64(took), fmt.Sprintf("a tick that finds nothing due takes %v", took)}
	default:
		return fmt.Errorf("no figure is called %q", s.Idling)
	}
	return json.NewEncoder(os.Stdout).Encode(i)
}

func idleBytes(ctx context.Context, b *bench) (out []float64, err error) {
	for _, n := range []int{10_000, 100_000} {
		bytes, err := b.idle(ctx, idlingBytes, n)
		if err != nil {
			return nil, err
		}
		out = append(out, bytes)
	}
	return out, nil
}

func longestCall(ctx context.Context, b *bench) (out []float64, err error) {
	for range b.times(3) {
		ms, err := b.idle(ctx, idlingCall, 10_000)
		if err != nil {
			return nil, err
		}
		out = append(out, ms)
	}
	return out, nil
}

func tickVersusSmall(ctx context.Context, b *bench) (out []float64, err error) {
	for range b.times(3) {
		many, err := b.idle(ctx, idlingTick, 100_000)
		if err != nil {
			return nil, err
		}
		few, err := b.idle(ctx, idlingTick, 100)
		if err != nil {
			return nil, err
		}
		out = append(out, many/few)
	}
	return out, nil
}
