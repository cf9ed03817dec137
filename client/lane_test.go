package client_test

import (
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

// A lane to a peer is there exactly as long as SendInPlace would send
// ChannelData, and knows itself when that ends.
func TestLaneToNeedsAConfirmedChannel(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	wanted := func(why string, want bool) {
		t.Helper()
		if _, got := r.LaneTo(r.now, rigPeer); got != want {
			t.Errorf("%s: LaneTo answers %v", why, got)
		}
	}
	wanted("no channel", false)
	r.must(func(now time.Duration) error { return r.BindChannel(now, rigPeer) })
	sent := r.now
	wanted("not confirmed", false)
	r.success(nil)
	wanted("confirmed", true)
	way, _ := r.LaneTo(r.now, rigPeer)
	if end := sent + 5*time.Minute; !r.Holds(end-1, &way) || r.Holds(end, &way) {
		t.Error("it does not end with its permission")
	}
	r.advance(10*time.Minute - 1)
	wanted("its permission has run out", false)
	r.close(0)
	wanted("closed", false)
}

func TestLaneFromNeedsARequestedChannel(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	r.must(func(now time.Duration) error { return r.BindChannel(now, rigPeer) })
	m, err := turntest.Decode(r.sent[0])
	if err != nil {
		t.Fatal(err)
	}
	sent := r.now
	number, _ := m.Channel()
	way, ok := r.LaneFrom(r.now, number)
	if !ok || way.Peer != rigPeer || way.Number != number {
		t.Fatalf("as soon as the request is sent: %+v, %v", way, ok)
	}
	if end := sent + 5*time.Minute; !r.Holds(end-1, &way) || r.Holds(end, &way) {
		t.Error("it does not end with its permission")
	}
	if _, ok := r.LaneFrom(r.now, number+1); ok {
		t.Error("another number has a lane")
	}
	r.close(0)
	if _, ok := r.LaneFrom(r.now, number); ok {
		t.Error("a lane after Closed")
	}
}

// A channel whose permission is refreshed outlives the permission's first
// lifetime: then the lanes end with the channel.
func TestLanesEndWithTheChannel(t *testing.T) {
	r, number := boundRig(t)
	bound := r.now
	r.must(func(now time.Duration) error { return r.UnbindChannel(now, rigPeer) })
	r.must(func(now time.Duration) error { return r.CreatePermission(now, rigPeer.Addr()) })
	for r.now < bound+9*time.Minute {
		r.advance(time.Minute)
		for len(r.sent) > 0 {
			r.success(nil)
		}
	}
	to, toOK := r.LaneTo(r.now, rigPeer)
	from, fromOK := r.LaneFrom(r.now, number)
	if !toOK || !fromOK {
		t.Fatalf("after %v there is a lane to the peer: %v, from it: %v", r.now-bound, toOK, fromOK)
	}
	end := bound + 10*time.Minute
	if !r.Holds(end-1, &to) || !r.Holds(end-1, &from) {
		t.Error("a lane ends before the channel")
	}
	if r.Holds(end, &to) || r.Holds(end, &from) {
		t.Error("a lane outlives the channel")
	}
}

func TestLanesAreCounted(t *testing.T) {
	r, _ := boundRig(t)
	before := r.Stats()
	r.SentOnLane(54, 54*1204)
	r.ReceivedOnLane(3, 3*104)
	after := r.Stats()
	before.PayloadsSent, before.SentMessages, before.SentBytes = before.PayloadsSent+54, before.SentMessages+54, before.SentBytes+54*1204
	before.PayloadsReceived, before.ReceivedMessages, before.ReceivedBytes = before.PayloadsReceived+3, before.ReceivedMessages+3, before.ReceivedBytes+3*104
	if after != before {
		t.Errorf("counted %+v, want %+v", after, before)
	}
}

func TestLaneHeader(t *testing.T) {
	h := client.LaneHeader(0x4abc, 1200)
	b := []byte{byte(h), byte(h >> 8), byte(h >> 16), byte(h >> 24)}
	if want := turntest.ChannelData(0x4abc, make([]byte, 1200))[:4]; string(b) != string(want) {
		t.Errorf("the header is % x, want % x", b, want)
	}
	if client.LaneNumber(h) != 0x4abc || client.LaneLength(h) != 1200 {
		t.Errorf("read back: %#x, %d", client.LaneNumber(h), client.LaneLength(h))
	}
}
