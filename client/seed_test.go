package client_test

import (
	"errors"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

// The change that this project grew from, ex_turn's Client.close/1: one
// fire-and-forget release. Its tests, in its words.

func TestReleaseIsEmittedAsOneDatagram(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	r.close(0)
	r.release()
	if e := r.one(client.Closed); e.Outcome != client.Unconfirmed {
		t.Errorf("a blind release ends as %v", e.Outcome)
	}
}

func TestNothingIsEmittedWhenNothingWasAllocated(t *testing.T) {
	for _, p := range []client.Phase{client.PhaseNew, client.PhaseAllocating} {
		r := newRig(t).reach(p)
		r.close(0)
		r.nothing("nothing was signed in phase " + p.String())
		r.one(client.Closed)
	}
}

func TestClosedAtReturnAndLateResponsesAreIgnored(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	r.close(0)
	release := r.release()
	if r.Phase() != client.PhaseClosed {
		t.Fatalf("the phase is %v when Close returns", r.Phase())
	}
	r.last = release
	r.success(func(b *turntest.Builder) { b.Lifetime(0) })
	r.challenge(438, "n2")
	r.refuse(437)
	r.nothing("closed")
	if _, wakes := r.PollTimeout(); wakes || len(r.told) != 0 {
		t.Errorf("after Closed: a deadline (%v), events %v", wakes, r.told)
	}
	if n := r.Stats().IgnoredClosed; n != 3 {
		t.Errorf("ignored %d late responses, want 3", n)
	}
	if err := r.do(r.Allocate); !errors.Is(err, client.ErrClosed) {
		t.Errorf("Allocate after Close answers %v", err)
	}
}

func TestCloseAfterThe401AndBeforeTheSuccess(t *testing.T) {
	r := newRig(t).reach(client.PhaseAuthenticated)
	r.close(0)
	r.release()

	r = newRig(t).reach(client.PhaseAuthenticated)
	r.close(2 * time.Second)
	r.nothing("the Allocate's answer comes first")
	r.grant()
	r.release()
	r.success(func(b *turntest.Builder) { b.Lifetime(0) })
	if e := r.one(client.Closed); e.Outcome != client.Released {
		t.Errorf("ends as %v", e.Outcome)
	}
}

// The seed flushed its mailbox of timers with a wildcard.
func TestC12AnotherClientOfTheSameOwnerKeepsItsTimers(t *testing.T) {
	a, b := newRig(t).reach(client.PhaseAllocated), newRig(t).reach(client.PhaseAllocated)
	before, _ := b.PollTimeout()
	stats := b.Stats()
	a.close(0)
	a.Free()
	after, ok := b.PollTimeout()
	if !ok || after != before || b.Phase() != client.PhaseAllocated || b.Stats() != stats {
		t.Errorf("the other client's deadline went from %v to %v", before, after)
	}
	b.advance(9 * time.Minute)
	if len(b.sent) != 1 || b.last.Method != turntest.MethodRefresh {
		t.Errorf("the other client's refresh: %d datagrams, the newest a %v", len(b.sent), b.last.Method)
	}
}
