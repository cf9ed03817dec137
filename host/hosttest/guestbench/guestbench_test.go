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
