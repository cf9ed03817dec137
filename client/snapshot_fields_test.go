package client

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"
)

// A field that a struct gains and the snapshot forgets shows here. Those that
// are not kept are counted, too: what exists outside of PhaseAllocated alone, on
// streams, during a move, before the drain, or is made anew.
func TestI12EveryFieldIsKept(t *testing.T) {
	for _, s := range []struct {
		of    any
		known int
	}{
		{Client{}, 38}, {settings{}, 20}, {options{}, 9}, {auth{}, 6}, {identity{}, 3}, {credential{}, 4}, {modern{}, 4}, {terms{}, 3},
		{lease{}, 6}, {allocation{}, 5}, {mobility{}, 6}, {permission{}, 8}, {channel{}, 10}, {queued{}, 2}, {transaction{}, 18},
		{forgone{}, 3}, {verdict{}, 7}, {roundTrip{}, 2}, {Stats{}, len(new(Stats).counters())},
	} {
		if n := reflect.TypeOf(s.of).NumField(); n != s.known {
			t.Errorf("%T has %d fields; that %d are kept, or need not be, is known: see its archive", s.of, n, s.known)
		}
	}
}

// What scripts seldom show is kept, too.
func TestI12WhatIsKept(t *testing.T) {
	const now = time.Hour
	source := rand.NewChaCha8([32]byte{3})
	address := netip.MustParseAddrPort("192.0.2.1:3478")
	c, err := New(Config{Server: address, Username: []byte("alice"), Password: []byte("secret"), Keepalive: time.Minute, Rand: source})
	if err != nil {
		t.Fatal(err)
	}
	c.now, c.phase, c.reusableAt, c.partingID = now, PhaseAllocated, now+2, transactionID{1}
	c.alloc = &allocation{mapped: address, lifetime: time.Minute, madeAt: now - 1, expiresAt: now + time.Minute, refreshAt: now + time.Second}
	c.lease = lease{until: now + time.Minute, granted: time.Minute, signed: true, older: true, asked: now - 2, relayed: address}
	c.auth.nonce, c.auth.nonceAge, c.auth.proven = "n", 5, true
	c.auth.signer = newCredential([]byte("alice"), []byte("secret"), []byte("example.org"))
	c.cfg.options.keepaliveAt, c.cfg.options.additional, c.cfg.options.single = now+3, address, true
	c.flow, c.nextFlow, c.ports, c.reclaimed, c.familyRefused, c.immobile = 3, 4, 2, true, true, true
	c.trip, c.mobile = roundTrip{7, 8}, &mobility{ticket: []byte("ticket")}
	c.expired = &verdict{code: 401, reason: "why", signed: true, bare: true, refused: true, fragment: true}
	c.forgone = []forgone{{transactionID{2}, forRefresh, c.auth.signer}}
	c.stats.HeldErrors = 9
	b, err := c.Snapshot(now, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Restore(now, 0, b, source)
	if err != nil {
		t.Fatal(err)
	}
	again.next, again.stale = c.next, c.stale
	if !reflect.DeepEqual(c.auth.signer, again.auth.signer) || again.forgone[0].signer != again.auth.signer {
		t.Errorf("the signer is %+v, before %+v", again.auth.signer, c.auth.signer)
	}
	again.auth.retired, c.auth.retired = nil, nil
	if !reflect.DeepEqual(c, again) {
		t.Errorf("restored\n%+v, before\n%+v", again, c)
	}
}
