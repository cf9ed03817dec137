package main

import (
	"time"

	"github.com/turnwasm/turnwasm/client"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// row is a state in which the close comes, and what goes wrong then.
type row struct {
	name  string
	phase client.Phase // the close comes the moment that it is reached
	// fault is planted before the first datagram, atClose right before the
	// close (only where the phase is PhaseAllocated). Nil: none.
	fault, atClose func() ht.Fault
	linger         time.Duration // 0: a host's default, 2 s; negative: none

	refresh   bool // a Refresh is in flight at the close
	neighbour bool // another client of the instance stays, and has to work on
	trap      bool // the instance traps instead of a close
	cancel    bool // the Dial's context ends instead of a close
	planted   bool // an earlier run left an allocation on the local port, which is our own
	again     bool // the same port allocates again after ReuseAfter
}

// left is how many allocations of others the server holds at the end.
func (r *row) left() int {
	if r.neighbour {
		return 1
	}
	return 0
}

const defaultLinger = 2 * time.Second

func (r *row) lingerTime() time.Duration {
	switch {
	case r.linger < 0:
		return 0
	case r.linger == 0:
		return defaultLinger
	}
	return r.linger
}

// first plants act for the first n datagrams that match, 0 = for all.
func first(n int, match ht.Match, act ht.Fault) func() ht.Fault {
	return func() ht.Fault { return ht.First(n, match, act) }
}

// silentAfter loses everything behind the first datagram that matches, which
// still passes.
func silentAfter(match ht.Match) func() ht.Fault {
	return func() ht.Fault {
		silent := false
		return func(p ht.Passage) ht.Action {
			if silent {
				return ht.Action{Drop: true}
			}
			silent = match(p)
			return ht.Action{}
		}
	}
}

// slowAllocate gives the Dial's context the time to end before the answer comes.
func slowAllocate(besides func() ht.Fault) func() ht.Fault {
	slow := first(0, ht.IsAllocateSuccess, ht.Delay(300*time.Millisecond))
	if besides == nil {
		return slow
	}
	return func() ht.Fault { return ht.Each(slow(), besides()) }
}

const allocated = client.PhaseAllocated

var rows = []row{
	{name: "nothing sent", phase: client.PhaseNew},

	{name: "unsigned Allocate in flight", phase: client.PhaseAllocating},
	{name: "unsigned Allocate in flight, its 401 lost", phase: client.PhaseAllocating, fault: first(1, ht.IsChallenge, ht.Drop)},
	{name: "unsigned Allocate in flight, server silent", phase: client.PhaseAllocating, fault: first(0, ht.Everything, ht.Drop)},

	{name: "signed Allocate in flight", phase: client.PhaseAuthenticated},
	{name: "signed Allocate in flight, lost once", phase: client.PhaseAuthenticated, fault: first(1, ht.IsSignedAllocate, ht.Drop)},
	{name: "signed Allocate in flight, twice on the wire", phase: client.PhaseAuthenticated, fault: first(1, ht.IsSignedAllocate, ht.Duplicate)},
	{name: "signed Allocate in flight, its answer lost", phase: client.PhaseAuthenticated, fault: first(1, ht.IsAllocateSuccess, ht.Drop)},
	{name: "signed Allocate in flight, its answer late", phase: client.PhaseAuthenticated, fault: first(0, ht.IsAllocateSuccess, ht.Delay(time.Second))},
	{name: "signed Allocate in flight, every answer lost", phase: client.PhaseAuthenticated, fault: first(0, ht.IsAllocateSuccess, ht.Drop)},
	{name: "signed Allocate in flight, server silent", phase: client.PhaseAuthenticated, fault: silentAfter(ht.IsSignedAllocate)},
	{name: "signed Allocate in flight, Dial cancelled", phase: client.PhaseAuthenticated, cancel: true, fault: slowAllocate(nil)},
	{name: "signed Allocate in flight, Dial cancelled, release lost", phase: client.PhaseAuthenticated, cancel: true, fault: slowAllocate(first(1, ht.IsRelease, ht.Drop))},

	{name: "allocated", phase: allocated},
	{name: "allocated, release lost once", phase: allocated, atClose: first(1, ht.IsRelease, ht.Drop)},
	{name: "allocated, release lost three times", phase: allocated, atClose: first(3, ht.IsRelease, ht.Drop), linger: 5 * time.Second},
	{name: "allocated, release twice on the wire", phase: allocated, atClose: first(1, ht.IsRelease, ht.Duplicate)},
	{name: "allocated, answer to the release lost", phase: allocated, atClose: first(1, ht.IsReleaseAnswer, ht.Drop)},
	{name: "allocated, 438 to the release", phase: allocated, atClose: first(1, ht.IsRelease, ht.StaleNonce)},
	{name: "allocated, unsigned 437 to the release", phase: allocated, atClose: first(1, ht.IsRelease, ht.UnsignedMismatch)},
	{name: "allocated, server silent", phase: allocated, atClose: first(0, ht.Everything, ht.Drop)},
	{name: "allocated, no linger", phase: allocated, linger: -1},
	{name: "allocated, late delete: the port again", phase: allocated, again: true},
	{name: "allocated, another client of the instance", phase: allocated, neighbour: true},
	{name: "allocated, instance traps", phase: allocated, trap: true},

	{name: "refresh in flight", phase: allocated, refresh: true, atClose: first(0, ht.IsRefreshAnswer, ht.Delay(200*time.Millisecond))},
	{name: "refresh in flight, lost", phase: allocated, refresh: true, atClose: first(1, ht.IsRefresh, ht.Drop)},
	{name: "refresh in flight, its answer late", phase: allocated, refresh: true, atClose: first(0, ht.IsRefreshAnswer, ht.Delay(900*time.Millisecond))},
	{name: "refresh in flight, server silent", phase: allocated, refresh: true, atClose: first(0, ht.Everything, ht.Drop)},

	{name: "437 to the unsigned Allocate: another port", phase: allocated, fault: first(1, ht.IsAllocate, ht.UnsignedMismatch)},
	{name: "437 to the signed Allocate: another port", phase: allocated, fault: first(1, ht.IsSignedAllocate, ht.UnsignedMismatch)},
	{name: "port left bound by an earlier run, reclaimed", phase: allocated, planted: true},
	{name: "port left bound, reclaimed, release lost once", phase: allocated, planted: true, fault: first(1, ht.IsRelease, ht.Drop)},
}
