package turntest

import (
	"bytes"
	"testing"
)

const testSeeds = 300

func TestSimulation(t *testing.T) {
	for seed := uint64(1); seed <= testSeeds; seed++ {
		r := Run(seed, Options{})
		for _, v := range r.Violations {
			t.Errorf("seed %d: %v\nreplay: make soak SEED=%d", seed, v, seed)
		}
		if r.Steps == 0 || r.Virtual == 0 {
			t.Errorf("seed %d: nothing happened", seed)
		}
	}
}

// I9: same seed, same transcript; and two seeds are two worlds.
func TestSameSeedSameTranscript(t *testing.T) {
	seen := map[[32]byte]uint64{}
	for seed := uint64(1); seed <= 20; seed++ {
		var a, b bytes.Buffer
		first, second := Run(seed, Options{Transcript: &a}), Run(seed, Options{Transcript: &b})
		if first.Hash != second.Hash || !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("I9: two runs of seed %d differ", seed)
		}
		if silent := Run(seed, Options{}); silent.Hash != first.Hash {
			t.Errorf("seed %d: reading along changes the run", seed)
		}
		if other, ok := seen[first.Hash]; ok {
			t.Errorf("seeds %d and %d are the same world", seed, other)
		}
		seen[first.Hash] = seed
	}
}

func TestFootprint(t *testing.T) {
	type node struct {
		next *node
		data []byte
		name string
		more map[int]string
	}
	a := &node{data: make([]byte, 10, 1000), name: "four", more: map[int]string{1: "seven.."}}
	a.next = a // a ring counts once
	const want = 56 + 1000 + len("four") + 8 + 16 + len("seven..")
	if got := Footprint(a); got != want {
		t.Errorf("the footprint is %d, want %d", got, want)
	}
}

func TestExpectedNamesAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range Expected() {
		if seen[name] {
			t.Errorf("%q is expected twice", name)
		}
		seen[name] = true
	}
}
