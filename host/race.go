package host

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// attemptDelay is when the next address is tried beside those before it: "One
// recommended value for a default delay is 250 milliseconds."
// https://www.rfc-editor.org/rfc/rfc8305#section-5
const attemptDelay = 250 * time.Millisecond

// race is a Dial to several addresses, each of which is an attempt of its own,
// with a socket, a client and an Allocate.
type race struct {
	rt      *Runtime
	ctx     context.Context
	cfg     Config
	places  []netip.AddrPort
	begun   int
	results chan outcome
	errs    []error // of attempts that failed
	won     atomic.Bool
}

// outcome is what came of an attempt.
type outcome struct {
	c   *Conn
	err error
}

// race dials the addresses in turn: the next one after attemptDelay, or at once
// when one has failed. The first allocation wins; the others are given up, and
// what they have allocated is released, in the background.
//
//	"Once one of the connection attempts succeeds (generally when the TCP
//	handshake completes), all other connections attempts that have not yet
//	succeeded SHOULD be canceled."
//
// https://www.rfc-editor.org/rfc/rfc8305#section-5
//
// Two sockets cannot have the caller's own port: then it is one after the other.
func (rt *Runtime) race(ctx context.Context, cfg Config, places []netip.AddrPort, ownsPort bool) (*Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cfg.patient = ownsPort && len(places) > 1
	r := &race{rt: rt, ctx: ctx, cfg: cfg, places: places, results: make(chan outcome, len(places))}
	if !r.attempt() {
		return nil, dialError(places[0], ctx.Err())
	}
	var next *time.Timer
	var due <-chan time.Time
	if !ownsPort {
		next = time.NewTimer(attemptDelay)
		defer next.Stop()
		due = next.C
	}
	for {
		select {
		case o := <-r.results:
			if o.err == nil {
				return o.c, nil
			}
			r.errs = append(r.errs, o.err)
		case <-due:
		}
		if !r.attempt() && len(r.errs) == r.begun {
			return nil, join(r.errs)
		}
		if next != nil {
			next.Reset(attemptDelay)
		}
	}
}

// attempt begins with the next address, if there is one. One that comes second
// closes what it has allocated.
func (r *race) attempt() bool {
	if r.begun == len(r.places) || r.ctx.Err() != nil {
		return false
	}
	at := r.places[r.begun]
	r.begun++
	r.rt.running.Add(1) // beside the Dial's own
	go func() {
		defer r.rt.running.Done()
		c, err := r.rt.dialAt(r.ctx, r.cfg, at)
		if err == nil && !r.won.CompareAndSwap(false, true) {
			c.beginClose(max(0, c.settings.Linger))
			c, err = nil, net.ErrClosed
		}
		r.results <- outcome{c, err}
	}()
	return true
}
