package main

import (
	"encoding/binary"
	"os"
	"testing"
)

func gateOf(t *testing.T, window uint64) (g *gate, credit func(uint64)) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	if g, err = newGate(int(r.Fd()), window); err != nil {
		t.Fatal(err)
	}
	return g, func(n uint64) {
		if _, err := w.Write(binary.BigEndian.AppendUint64(nil, n)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGateWaitsForTheFarSide(t *testing.T) {
	g, credit := gateOf(t, 10)
	credit(5)
	credit(8)
	for _, want := range []uint64{0, 6, 12} {
		first, err := g.take(6)
		if err != nil || first != want {
			t.Fatalf("%d, %v, want %d", first, err, want)
		}
	}
	if g.acked != 8 || g.waits != 0 {
		t.Errorf("acked %d, %d waits", g.acked, g.waits)
	}
	credit(18)
	if err := g.drain(); err != nil || g.acked != 18 {
		t.Errorf("acked %d: %v", g.acked, err)
	}
	// What a drain has heard opens the gate again: nothing more will be said.
	if _, err := g.take(10); err != nil || g.stalls != 0 || g.waits != 0 {
		t.Errorf("%d stalls, %d waits: %v", g.stalls, g.waits, err)
	}
}

func TestGateGivesUpOnWhatIsLost(t *testing.T) {
	g, _ := gateOf(t, 4)
	if _, err := g.take(4); err != nil || g.stalls != 0 {
		t.Fatalf("%d stalls: %v", g.stalls, err)
	}
	if _, err := g.take(1); err != nil || g.stalls != 1 {
		t.Errorf("%d stalls: %v", g.stalls, err)
	}
}
