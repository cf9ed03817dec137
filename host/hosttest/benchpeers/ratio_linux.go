package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// ratio is one line that is printed at the end. It compares two cells round by
// round, or it is measured by itself.
type ratio struct {
	name  string
	bound float64
	most  bool // the bound is at most, else at least
	worst bool // the value is the largest that was measured, else the median

	over, under string                  // cells
	of          func(r *result) float64 // of each
	alone       func(ctx context.Context, b *bench) ([]float64, error)
	needs       []string // cells, of alone
}

func perCPU(r *result) float64 { return r.perCPU() }
func p50(r *result) float64    { return micros(r.Told.Trips.P50) }
func p99(r *result) float64    { return micros(r.Told.Trips.P99) }

var ratios = []ratio{
	{name: "send-batch-vs-pion", bound: 15, of: perCPU, over: "send runs, ours", under: "send one by one, pion"},
	{name: "send-batch-vs-pion-plain", bound: 8, of: perCPU, over: "send runs, plain far, ours", under: "send one by one, plain far, pion"},
	{name: "send-writeto-vs-pion-1", bound: 8, of: perCPU, over: "send one by one, ours", under: "send one by one, pion"},
	{name: "send-writeto-vs-pion-8", bound: 6, of: perCPU, over: "send from 8, ours", under: "send from 8, pion"},
	{name: "send-writeto-vs-pion-paced", bound: 1.2, of: perCPU, over: "send paced, ours", under: "send paced, pion"},
	{name: "recv-vs-pion-batch", bound: 6, of: perCPU, over: "receive batches, ours", under: "receive one by one, pion"},
	{name: "recv-vs-pion-readfrom", bound: 4, of: perCPU, over: "receive one by one, ours", under: "receive one by one, pion"},
	{name: "recv-vs-pion-burst4", bound: 1.8, of: perCPU, over: "receive bursts of 4, ours", under: "receive bursts of 4, pion"},
	{name: "send-batch-vs-raw-gso", bound: 0.85, of: perCPU, over: "send runs, ours", under: "send runs, raw GSO"},
	{name: "send-batch-vs-raw-gso-mixed", bound: 0.6, of: perCPU, over: "send mixed, ours", under: "send mixed, raw GSO"},
	{name: "rtt-vs-pion-p50", bound: 0.9, most: true, of: p50, over: "ping-pong, ours", under: "ping-pong, pion"},
	{name: "rtt-vs-pion-p99", bound: 1, most: true, of: p99, over: "ping-pong, ours", under: "ping-pong, pion"},
	{name: "wasm-vs-native-engine", bound: 0.85, of: perCPU, over: "send runs, ours", under: "send runs, ours native"},
	{name: "wasm-vs-native-engine-mixed", bound: 0.6, of: perCPU, over: "send mixed, ours", under: "send mixed, ours native"},
	{name: "guest-ns-1", bound: 500, most: true, alone: guestOne},
	{name: "guest-ns-64", bound: 110, most: true, alone: guestBatch},
	{name: "guest-ns-run54", bound: 40, most: true, alone: guestRun},
	{name: "allocs", bound: 0, most: true, worst: true, alone: allocations, needs: dataCells},
	{name: "module-vs-floor", bound: 1.5, most: true, alone: moduleSize},
	{name: "module-gzip-vs-floor", bound: 1.45, most: true, alone: moduleGzip},
	{name: "wasi-imports", bound: 10, most: true, alone: moduleImports},
	{name: "cold-vs-floor", bound: 1.6, most: true, alone: coldStart},
	{name: "warm-ms", bound: 250, most: true, alone: warmStart},
	{name: "idle-client-bytes", bound: 2048, most: true, worst: true, alone: idleBytes},
	{name: "gc-max-call-ms", bound: 15, most: true, worst: true, alone: longestCall},
	{name: "tick-vs-small", bound: 2, most: true, alone: tickVersusSmall},
}

// value is a ratio that was measured.
type value struct {
	Name   string
	Value  float64 // the median
	Rounds []float64
	Bound  float64
	Most   bool
}

func (v value) passes() bool {
	if v.Most {
		return v.Value <= v.Bound
	}
	return v.Value >= v.Bound
}

// String is the line that scripts read: ratio NAME VALUE, and what it should be.
func (v value) String() string {
	sign, verdict := ">=", "short"
	if v.Most {
		sign = "<="
	}
	if v.passes() {
		verdict = "pass"
	}
	return fmt.Sprintf("ratio %s %s (bound %s %g) %s", v.Name, digits(v.Value), sign, v.Bound, verdict)
}

// digits keeps three or four digits that count, and no exponent.
func digits(x float64) string {
	places := 3 - int(math.Floor(math.Log10(max(math.Abs(x), 0.1))))
	return fmt.Sprintf("%.*f", min(3, max(0, places)), x)
}

// measure answers a ratio's value, from the rounds or by its own means.
func (b *bench) measure(ctx context.Context, q ratio) (value, error) {
	v := value{Name: q.name, Bound: q.bound, Most: q.most}
	var err error
	if q.alone != nil {
		v.Rounds, err = q.alone(ctx, b)
	} else {
		v.Rounds = b.compare(q)
	}
	if err == nil && len(v.Rounds) == 0 {
		err = fmt.Errorf("no round counts")
	}
	if err != nil {
		return v, fmt.Errorf("%s: %w", q.name, err)
	}
	if v.Value = median(v.Rounds); q.worst {
		v.Value = slices.Max(v.Rounds)
	}
	return v, nil
}

// compare divides round by round: what disturbs the machine for longer than a
// cell takes disturbs both.
func (b *bench) compare(q ratio) (out []float64) {
	for _, round := range b.rounds {
		over, under := round[q.over], round[q.under]
		if over != nil && under != nil {
			out = append(out, q.of(over)/q.of(under))
		}
	}
	return out
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// spread is the width of the values as a part of their median.
func spread(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return (slices.Max(values) - slices.Min(values)) / median(values)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
