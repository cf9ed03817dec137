package client_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

// A Refresh that the path's ICMP error has ended may still be handled: the
// release waits until one RTO after its send.
func TestC06RefreshEndedByThePath(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	r.must(r.Refresh)
	r.must(func(now time.Duration) error { r.PathError(now, 0); return nil })
	r.now += 200 * time.Millisecond
	r.close(2 * time.Second)
	r.nothing("beside a Refresh of 200 ms ago")
	r.advance(299 * time.Millisecond)
	r.nothing("beside a Refresh of 499 ms ago")
	r.advance(2 * time.Millisecond)
	r.release()
	r.success(func(b *turntest.Builder) { b.Lifetime(0) })
	if e := r.one(client.Closed); e.Outcome != client.Released {
		t.Errorf("outcome %v", e.Outcome)
	}
}

// The same a while later: nobody waits for it any more.
func TestC06OldRefreshIsNotWaitedFor(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	r.must(r.Refresh)
	r.must(func(now time.Duration) error { r.PathError(now, 0); return nil })
	r.now += 501 * time.Millisecond
	r.close(2 * time.Second)
	r.release()
}

// An error to the Refresh that a close waits for ends the wait.
func TestC06RefusedRefreshIsFollowedByTheRelease(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	r.must(r.Refresh)
	r.close(2 * time.Second)
	r.nothing("beside a Refresh in flight")
	r.refuse(400)
	r.release()
}

// Another copy of the Allocate's success tells nothing new; the success of a
// copy that the server obeyed after the release does.
func TestC05FurtherSuccessDuringTheRelease(t *testing.T) {
	r := newRig(t).reach(client.PhaseAuthenticated)
	allocate := r.last
	r.grant()
	r.close(2 * time.Second)
	release := r.release()
	again := func(relayed string) {
		r.last = allocate
		r.success(func(b *turntest.Builder) {
			b.Address(turntest.AttrXORRelayedAddress, netip.MustParseAddrPort(relayed)).Lifetime(10 * time.Minute)
		})
	}
	again(rigRelayed.String())
	r.nothing("for a duplicate")
	again("192.0.2.1:50002")
	if second := r.release(); second.ID == release.ID {
		t.Error("the second release has the ID of the first")
	}
}

// A reclaim that fails does not forget what our own Allocate may have left.
func TestC13FailedReclaimKeepsWhatIsOurs(t *testing.T) {
	r := newRig(t, func(cfg *client.Config) { cfg.Reclaim, cfg.Rc, cfg.Rm = true, 2, 1 }).reach(client.PhaseAuthenticated)
	r.advance(600 * time.Millisecond) // a second copy
	r.refuse(437)
	r.release() // of the earlier run's, as it seems
	r.advance(time.Minute)
	if e := r.one(client.NeedNewPort); e.Until == 0 {
		t.Error("NeedNewPort does not say that a copy of ours may have been obeyed")
	}
}

func TestC13FailedReclaimOfSomebodyElses(t *testing.T) {
	r := newRig(t, func(cfg *client.Config) { cfg.Reclaim, cfg.Rc, cfg.Rm = true, 2, 1 }).reach(client.PhaseAllocating)
	r.refuse(437)
	r.advance(time.Minute)
	if e := r.one(client.NeedNewPort); e.Until != 0 {
		t.Errorf("NeedNewPort speaks of an allocation until %v; nothing of ours was signed", e.Until)
	}
}

// While the release is under way the client serves nobody.
func TestC02NothingIsServedWhileClosing(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	r.bind(rigPeer)
	number := r.one(client.ChannelBound).Channel
	r.close(2 * time.Second)
	r.input(turntest.ChannelData(number, []byte("late")))
	for _, e := range r.told {
		t.Errorf("told of %v while closing", e.Kind)
	}
	for name, call := range map[string]func(now time.Duration) error{
		"Allocate":         r.Allocate,
		"Refresh":          r.Refresh,
		"CreatePermission": func(now time.Duration) error { return r.CreatePermission(now, rigPeer.Addr()) },
		"RemovePermission": func(now time.Duration) error { return r.RemovePermission(now, rigPeer.Addr()) },
		"BindChannel":      func(now time.Duration) error { return r.BindChannel(now, rigPeer) },
		"UnbindChannel":    func(now time.Duration) error { return r.UnbindChannel(now, rigPeer) },
		"Send":             func(now time.Duration) error { return r.Send(now, rigPeer, []byte("x")) },
		"SetCredentials":   func(now time.Duration) error { return r.SetCredentials(now, []byte("alice"), []byte("new")) },
	} {
		if err := r.do(call); !errors.Is(err, client.ErrClosed) {
			t.Errorf("%s while closing: %v", name, err)
		}
	}
}

// A second Close shortens the linger, and the deadline with it.
func TestC02SecondCloseMovesTheDeadline(t *testing.T) {
	r := newRig(t, func(cfg *client.Config) { cfg.RTO = 10 * time.Second }).reach(client.PhaseAllocated)
	r.close(5 * time.Second)
	r.close(time.Second)
	if at, ok := r.PollTimeout(); !ok || at != r.now+time.Second {
		t.Errorf("the next deadline is in %v, want 1s", at-r.now)
	}
	r.close(time.Minute)
	if at, _ := r.PollTimeout(); at != r.now+time.Second {
		t.Errorf("a longer linger moved the deadline to %v", at-r.now)
	}
}
