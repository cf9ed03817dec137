// Package hosttest starts the real peers that turnwasm is tested against: a
// coturn process, a pion/turn server in this process, an echo peer, and a UDP
// proxy that plants faults between a client and a server. Programs use it too
// (the examples, the close matrix).
//
// It shares no code with package client: what it reads and writes on the wire
// it reads and writes by itself, so that a mistake in the client's codec is not
// made twice.
//
// Everything is started on loopback and stopped by what the start answered;
// nothing is stopped by name.
package hosttest

import (
	"context"
	"net/netip"
	"time"
)

// The long-term credential of every server that this package starts.
const (
	Username = "user"
	Password = "pass"
	Realm    = "turnwasm.test"
)

// Server is a TURN server that says itself what it holds.
type Server interface {
	// Name is "coturn" or "pion".
	Name() string
	// Addr is the address for clients.
	Addr() netip.AddrPort
	// Held is the number of allocations that the server holds at this moment,
	// by its own count.
	Held() (int, error)
	// Close stops the server and everything that belongs to it.
	Close() error
}

// heldEvery is the time between two questions of AwaitHeld.
const heldEvery = 100 * time.Millisecond

// AwaitHeld asks the server until it holds want allocations, and answers the
// last count: another number means that ctx ended first. coturn deletes an
// allocation one to two seconds after it has said that it is gone.
func AwaitHeld(ctx context.Context, s Server, want int) (int, error) {
	tick := time.NewTicker(heldEvery)
	defer tick.Stop()
	for {
		n, err := s.Held()
		if err != nil || n == want {
			return n, err
		}
		select {
		case <-ctx.Done():
			return n, nil
		case <-tick.C:
		}
	}
}
