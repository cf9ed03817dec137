package main

import (
	"slices"
	"testing"
	"time"
)

func TestPayloadsAreCompared(t *testing.T) {
	b := make([]byte, payloadSize)
	for _, number := range []uint64{0, 1, 4095, 4096, hello, goodbye} {
		fill(b, number)
		if got, ok := numberOf(b); !ok || got != number {
			t.Errorf("%d, %v, want %d", got, ok, number)
		}
		for _, i := range []int{6, 7, 8, len(b) - 1} {
			b[i] ^= 1
			if _, ok := numberOf(b); ok {
				t.Errorf("byte %d of packet %d may be anything", i, number)
			}
			b[i] ^= 1
		}
	}
	fill(b, 1)
	if _, ok := numberOf(b[:len(b)-1]); ok {
		t.Error("a payload may be cut")
	}
	if _, ok := numberOf(nil); ok {
		t.Error("an empty payload is as it was sent")
	}
}

func TestLedgerCountsANumberOnce(t *testing.T) {
	l := newLedger()
	b := make([]byte, 100)
	for _, number := range []uint64{0, 2, 1, 2, hello} {
		fill(b, number)
		l.take(b)
	}
	b[50] ^= 1
	l.take(b)
	if l.Valid != 3 || l.Twice != 1 || l.Bad != 1 || l.Next != 3 || l.total() != 5 {
		t.Errorf("%d valid, %d twice, %d bad, next %d", l.Valid, l.Twice, l.Bad, l.Next)
	}
}

// While one trip takes a hundred medians, a hundred others would have begun.
func TestSlowTripsCountAsLongAsTheyLast(t *testing.T) {
	took := make([]time.Duration, 0, 2000)
	for range 999 {
		took = append(took, 10*time.Microsecond)
	}
	took = append(took, time.Millisecond)
	got := newTrips(slices.Clone(took))
	if got.P50 != 10*time.Microsecond || got.Plain99 != 10*time.Microsecond {
		t.Errorf("%+v", got)
	}
	if got.P99 < 800*time.Microsecond || got.P99 > time.Millisecond {
		t.Errorf("p99 %v leaves out what the slow trip held up", got.P99)
	}
}

func TestMedianAndSpread(t *testing.T) {
	if m := median([]float64{9, 1, 2}); m != 2 {
		t.Error(m)
	}
	if m := median([]float64{1, 2, 3, 10}); m != 2.5 {
		t.Error(m)
	}
	if s := spread([]float64{1, 2, 3}); s != 1 {
		t.Error(s)
	}
	for x, want := range map[float64]string{0: "0.000", 0.8512: "0.851", 1.25: "1.250", 15.2: "15.20", 250: "250.0", 12345: "12345", 200: "200.0"} {
		if got := digits(x); got != want {
			t.Errorf("%v is %s, want %s", x, got, want)
		}
	}
}
