package guestbench

import (
	"context"
	"testing"

	"github.com/turnwasm/turnwasm/wasm"
)

func TestMeasure(t *testing.T) {
	g, err := Measure(context.Background(), wasm.Module(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if g.Grown != 0 {
		t.Errorf("linear memory grew by %d bytes under %d packets", g.Grown, g.Packets)
	}
	for _, f := range g.Figures() {
		if f.Send <= 0 || f.Receive <= 0 {
			t.Errorf("%+v", f)
		}
		t.Logf("%s: send %.1f, receive %.1f", f.Name, f.Send, f.Receive)
	}
}

func BenchmarkGuest(b *testing.B) {
	for b.Loop() {
		g, err := Measure(context.Background(), wasm.Module(), 9)
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range g.Figures() {
			b.ReportMetric(f.Send, f.Name+"-send")
			b.ReportMetric(f.Receive, f.Name+"-receive")
		}
	}
}

func TestFloor(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and compiles a module")
	}
	floor, err := Floor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ours, least := SizeOf(wasm.Module()), SizeOf(floor)
	if least.Bytes == 0 || least.Gzip >= least.Bytes || ours.Bytes <= least.Bytes {
		t.Errorf("sizes %+v and %+v", ours, least)
	}
	t.Logf("module %+v, floor %+v: ratios %.3f, %.3f", ours, least,
		float64(ours.Bytes)/float64(least.Bytes), float64(ours.Gzip)/float64(least.Gzip))
	module, empty, err := Cold(t.Context(), wasm.Module(), floor, 1)
	if err != nil {
		t.Fatal(err)
	}
	if module.CPU <= 0 || empty.CPU <= 0 {
		t.Errorf("starts %+v and %+v", module, empty)
	}
	t.Logf("cold: module %+v, floor %+v", module, empty)
}
