package turntest

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every fault that can be armed does what its name says, and is counted.
func TestServerFaults(t *testing.T) {
	for fault, want := range map[Fault]string{
		Deaf: "", Mute: "", Late: "", Stale: "Allocate error ERROR-CODE=438",
		Refuse300: `Allocate error ERROR-CODE=300:"Try Alternate" ALTERNATE-SERVER=192.0.2.2:3478`,
		Refuse400: "Allocate error ERROR-CODE=400", Refuse403: "Allocate error ERROR-CODE=403",
		Refuse486: "Allocate error ERROR-CODE=486", Refuse500: "Allocate error ERROR-CODE=500",
		Refuse508: "Allocate error ERROR-CODE=508", NoRelayed: "Allocate success LIFETIME",
		NoLifetime:       "Allocate success XOR-RELAYED-ADDRESS=192.0.2.1:49152 XOR-MAPPED",
		StrangeAttribute: "Allocate success XOR-RELAYED-ADDRESS=192.0.2.1:49152 LIFETIME=600s XOR-MAPPED-ADDRESS=198.51.100.7:50000 attribute-0x7abc",
		WrongIntegrity:   "Allocate success", NoIntegrity: "Allocate success",
	} {
		r := newRig(t, ServerConfig{Alternate: netip.MustParseAddrPort("192.0.2.2:3478")})
		r.request(MethodAllocate, "", overUDP)
		r.s.Arm(MethodAllocate, fault)
		got := r.request(MethodAllocate, alice, overUDP)
		r.want(got, want, fault.String())
		if want == "" && got != "" {
			t.Errorf("%v: it is answered: %s", fault, got)
		}
		if fault == WrongIntegrity && !strings.HasSuffix(got, "integrity=WRONG") ||
			fault == NoIntegrity && strings.Contains(got, "integrity") {
			t.Errorf("%v: %s", fault, got)
		}
		if r.s.Faults[fault] != 1 {
			t.Errorf("%v is counted %d times", fault, r.s.Faults[fault])
		}
	}
}

func TestServerForgets(t *testing.T) {
	r := newRig(t, ServerConfig{})
	r.allocate()
	r.s.Arm(MethodRefresh, Forget)
	r.want(r.request(MethodRefresh, alice, nil), "Refresh error ERROR-CODE=438", "the nonce is forgotten too")
	r.want(r.request(MethodRefresh, alice, nil), "Refresh error ERROR-CODE=437", "and the allocation")
	r.wantHeld(0, "nothing is left")
}

func TestServerLateAnswersComeInOrder(t *testing.T) {
	r := newRig(t, ServerConfig{})
	r.allocate()
	for range 5 {
		r.s.Arm(MethodRefresh, Late)
		if got := r.request(MethodRefresh, alice, nil); got != "" {
			t.Errorf("answered at once: %s", got)
		}
	}
	var seen []time.Duration
	for due, ok := r.s.Next(); ok; due, ok = r.s.Next() {
		seen = append(seen, due)
		r.s.Tick(due)
		if _, ok := r.s.Poll(); !ok {
			t.Fatal("Tick at the instant of Next sends something")
		}
	}
	if len(seen) != 5 || !slices.IsSorted(seen) || seen[4] > 3100*time.Millisecond {
		t.Errorf("late answers came at %v", seen)
	}
}

func TestServerTouchTellsWhichCopyItWas(t *testing.T) {
	r := newRig(t, ServerConfig{})
	r.allocate()
	refresh := r.build(r.nextID(), MethodRefresh, alice, nil)
	r.send(refresh)
	r.now = 5 * time.Second
	r.send(refresh)
	h, _ := r.s.At(clientAddr)
	if h.Touch.Copy != 2 || h.Touch.At != r.now || h.ExpiresAt != 605*time.Second {
		t.Errorf("the touch is %+v, the expiry %v", h.Touch, h.ExpiresAt)
	}
}

func TestServerIgnoresWhatIsNotForIt(t *testing.T) {
	r := newRig(t, ServerConfig{})
	elsewhere := netip.MustParseAddrPort("192.0.2.77:1")
	r.wantRelayed(r.relayed(elsewhere, peerAddr, []byte("x")), clientAddr, "", "no relay there")
	r.wantRelayed(r.relayed(serverAddr, clientAddr, []byte{1, 2, 3}), clientAddr, "", "garbage")
	r.wantRelayed(r.relayed(serverAddr, clientAddr, ChannelData(0x4000, []byte("x"))), peerAddr, "", "no allocation")
}
