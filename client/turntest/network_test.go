package turntest

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

var insideAddr = netip.MustParseAddrPort("10.0.0.1:5000")

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }

// all delivers everything that is under way, in order.
func all(n *Network) (out []Packet) {
	for due, ok := n.Next(); ok; due, ok = n.Next() {
		if p, ok := n.Deliver(due); ok {
			out = append(out, p)
		}
	}
	return out
}

func sendMany(n *Network, count int) {
	for i := range count {
		n.Send(time.Duration(i)*time.Millisecond, Datagram{insideAddr, serverAddr, []byte{byte(i >> 8), byte(i)}})
	}
}

func TestPerfectNetworkKeepsEverythingInOrder(t *testing.T) {
	n := NewNetwork(NetworkConfig{DelayMin: 5 * time.Millisecond})
	public := n.Join(insideAddr)
	sendMany(n, 100)
	got := all(n)
	if len(got) != 100 {
		t.Fatalf("%d of 100 arrived", len(got))
	}
	for i, p := range got {
		if int(p.Data[1]) != i || p.From != public || p.Inside != insideAddr || p.DueAt-p.SentAt != 5*time.Millisecond {
			t.Fatalf("datagram %d arrived as %+v", i, p)
		}
	}
}

func TestBadNetworkDoesWhatItIsToldTo(t *testing.T) {
	n := NewNetwork(NetworkConfig{Loss: .2, Duplicate: .2, Reorder: .2, ReorderBy: time.Second, DelayMax: 10 * time.Millisecond, Rand: seeded(7)})
	sendMany(n, 1000)
	got := all(n)
	if want := 1000 - n.Lost + n.Duplicated; len(got) != want {
		t.Errorf("%d arrived, want %d", len(got), want)
	}
	for name, count := range map[string]int{"lost": n.Lost, "duplicated": n.Duplicated, "reordered": n.Reordered} {
		if count < 100 || count > 400 {
			t.Errorf("%s %d of 1000 at a rate of .2", name, count)
		}
	}
	if slices.IsSortedFunc(got, func(a, b Packet) int { return int(a.SentAt - b.SentAt) }) {
		t.Error("nothing came out of order")
	}
}

func TestSameSeedSameNetwork(t *testing.T) {
	run := func() []Packet {
		n := NewNetwork(NetworkConfig{Loss: .1, Duplicate: .1, Reorder: .1, ReorderBy: time.Second, DelayMax: time.Second, Rand: seeded(3)})
		sendMany(n, 200)
		return all(n)
	}
	if !slices.EqualFunc(run(), run(), func(a, b Packet) bool { return a.DueAt == b.DueAt && a.seq == b.seq }) {
		t.Error("two runs of one seed differ")
	}
}

func TestRebindingLeavesTheOldAddressBehind(t *testing.T) {
	n := NewNetwork(NetworkConfig{})
	old := n.Join(insideAddr)
	n.Send(0, Datagram{serverAddr, old, []byte("to the old")})
	n.Rebind(time.Second, insideAddr)
	if n.Public(insideAddr) == old || n.Rebound[old] != time.Second {
		t.Error("the public address has changed, and it is noted when")
	}
	n.Send(time.Second, Datagram{serverAddr, n.Public(insideAddr), []byte("to the new")})
	got := all(n)
	if len(got) != 1 || string(got[0].Data) != "to the new" || got[0].Inside != insideAddr || n.Unreachable != 1 {
		t.Errorf("arrived %v; what goes to the old address is lost", got)
	}
}

func TestNetworkDown(t *testing.T) {
	n := NewNetwork(NetworkConfig{})
	n.Down(50 * time.Millisecond)
	sendMany(n, 100)
	if got := len(all(n)); got != 50 || n.CutOff != 50 {
		t.Errorf("%d arrived, %d were cut off, want 50 and 50", got, n.CutOff)
	}
}

// No forgery verifies under the real key, and each kind is made.
func TestForgerHasNoKey(t *testing.T) {
	n := NewNetwork(NetworkConfig{})
	f := &Forger{Rate: 1, Peer: peerAddr, Rand: seeded(1)}
	request := Build(MethodAllocate, Request, TransactionID{1}).Transport(17).Integrity(userKey).Datagram()
	response := Build(MethodAllocate, Success, TransactionID{1}).Lifetime(time.Hour).Integrity(userKey).Datagram()
	for range 500 {
		f.Provoke(n, 0, clientAddr, serverAddr, request)
		f.Provoke(n, 0, clientAddr, serverAddr, response)
	}
	for kind, count := range f.Sent {
		if count == 0 {
			t.Errorf("no %v was forged", Forgery(kind))
		}
	}
	for _, p := range all(n) {
		m, err := Decode(p.Data)
		if err != nil || !m.Verify(userKey) {
			continue
		}
		if lifetime, _ := m.Lifetime(); lifetime != time.Hour || m.Has(AttrErrorCode) {
			t.Errorf("what is appended to a signed message counts: %s", Describe(p.Data, userKey))
		}
	}
}
