package client

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pion/stun/v3"
)

// decode reads what pion/stun's Decode reads, and the same out of it, where the
// datagram is one whole message; it refuses the rest.
func TestDecodeIsThatOfSTUN(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	whole, refused := 0, 0
	for _, vector := range []string{vectorRequest, vectorIPv4, vectorIPv6, vectorLongTerm} {
		original := unhex(t, vector)
		for range 5000 {
			data := mutated(rng, original)
			if decodesAlike(t, data) {
				whole++
			} else {
				refused++
			}
		}
	}
	if whole < 1000 || refused < 1000 {
		t.Errorf("%d datagrams are messages and %d are not: the mutations test nothing", whole, refused)
	}
}

func mutated(rng *rand.Rand, original []byte) []byte {
	data := bytes.Clone(original)
	for range rng.IntN(3) {
		data[rng.IntN(len(data))] = byte(rng.Uint32())
	}
	if rng.IntN(3) == 0 {
		data = data[:rng.IntN(len(data)+1)]
	}
	if len(data) >= 20 && rng.IntN(2) == 0 {
		binary.BigEndian.PutUint16(data[2:], uint16(len(data)-20))
	}
	return data
}

func decodesAlike(t *testing.T, data []byte) (ok bool) {
	t.Helper()
	want := stun.Message{Raw: data}
	sound := want.Decode() == nil && int(want.Length)+20 == len(data) && len(data)%4 == 0
	got := message{Message: stun.Message{Raw: data}}
	if ok = got.decode(); ok != sound {
		t.Fatalf("decode of % x answers %v, stun's %v", data, ok, sound)
	}
	same := func(a, b stun.RawAttribute) bool {
		return a.Type == b.Type && a.Length == b.Length && bytes.Equal(a.Value, b.Value)
	}
	if ok && (got.Type != want.Type || got.Length != want.Length || got.TransactionID != want.TransactionID ||
		!slices.EqualFunc(got.Attributes, want.Attributes, same)) {
		t.Fatalf("% x: got %v, want %v", data, &got.Message, &want)
	}
	return ok
}
