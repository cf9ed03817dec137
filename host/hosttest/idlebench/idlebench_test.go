package idlebench_test

import (
	"flag"
	"testing"

	"github.com/turnwasm/turnwasm/host/hosttest/idlebench"
)

var clients = flag.Int("clients", 500, "how many clients the benchmarks drive")

func compile(tb testing.TB) *idlebench.Module {
	m, err := idlebench.Compile(tb.Context(), 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { m.Close(tb.Context()) })
	return m
}

func BenchmarkIdle(b *testing.B) {
	m := compile(b)
	for name, s := range map[string]idlebench.Spread{"evenly": idlebench.Evenly, "at-once": idlebench.AtOnce} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				c, err := idlebench.Idle(b.Context(), m, *clients, s)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(c.Bytes), "bytes/client")
				b.ReportMetric(float64(c.Opened), "bytes/opened")
				b.ReportMetric(float64(c.Calls.CPU.Microseconds())/1e3, "ms/longest-call")
				b.Logf("%+v", c)
			}
		})
	}
}

func BenchmarkLongestCall(b *testing.B) {
	m := compile(b)
	for b.Loop() {
		c, err := idlebench.LongestCall(b.Context(), m, *clients)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(c.CPU.Microseconds())/1e3, "ms/longest-call")
		b.Logf("%+v", c)
	}
}

func BenchmarkTick(b *testing.B) {
	m := compile(b)
	for b.Loop() {
		few, err := idlebench.Tick(b.Context(), m, 100)
		if err != nil {
			b.Fatal(err)
		}
		many, err := idlebench.Tick(b.Context(), m, *clients)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(many)/float64(few), "many/few")
		b.Logf("100: %v; %d: %v", few, *clients, many)
	}
}
