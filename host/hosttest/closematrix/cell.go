package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// grace is how long a server may take to delete what it said was gone.
const grace = 3 * time.Second

// cell is one run: a row in a column.
type cell struct {
	*row
	server ht.Server
	proxy  *ht.Proxy
	// make makes a client on local, which is its own port then; zero: on any.
	make func(server, local netip.AddrPort) (subject, error)
}

// result is what a cell came to.
type result struct {
	outcome string
	held    int // without those that are not ours
}

// String is the text of the table.
func (r result) String() string {
	if r.outcome == "" {
		return "-"
	}
	return fmt.Sprintf("%s %d", r.outcome, r.held)
}

// leaked: the server holds what the client said was gone.
func (r result) leaked() bool { return clean(r.outcome) && r.held > 0 }

// play runs the cell. An errNotApplicable gives the empty result.
func (c *cell) play(ctx context.Context) (result, error) {
	local, err := c.plant(ctx)
	if err != nil {
		return result{}, err
	}
	if c.fault != nil {
		c.proxy.SetFault(c.fault())
	}
	s, err := c.make(c.proxy.Addr(), local)
	if err != nil {
		return result{}, err
	}
	defer s.end()
	v, check, err := c.close(ctx, s)
	switch {
	case errors.Is(err, errNotApplicable):
		return result{}, nil
	case errors.Is(err, errRefused):
		v.outcome = "refused"
	case err != nil:
		return result{}, err
	}
	held, err := c.count(ctx)
	if err != nil {
		return result{}, err
	}
	return result{v.outcome, held}, check(v)
}

// plant leaves an allocation behind, as a run that was killed does.
func (c *cell) plant(ctx context.Context) (netip.AddrPort, error) {
	if !c.planted {
		return netip.AddrPort{}, nil
	}
	raw, err := ht.DialRaw(netip.AddrPort{}, c.proxy.Addr())
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer raw.Close()
	_, err = raw.Allocate(ctx)
	return raw.Local(), err
}

// close brings the client to its state and closes it. check is what has to hold
// after the count.
func (c *cell) close(ctx context.Context, s subject) (v verdict, check func(verdict) error, err error) {
	check = func(verdict) error { return nil }
	if c.phase != client.PhaseAllocated {
		if c.cancel {
			v, err = s.cancelled(ctx)
		} else {
			v, err = s.closeAt(ctx, c.phase, c.lingerTime())
		}
		return v, check, err
	}
	if err := s.allocate(ctx); err != nil {
		return v, check, err
	}
	if c.neighbour {
		if check, err = c.meet(ctx); err != nil {
			return v, check, err
		}
	}
	if c.atClose != nil {
		c.proxy.SetFault(c.atClose())
	}
	if c.refresh {
		if err := s.refreshing(ctx); err != nil {
			return v, check, err
		}
	}
	if c.trap {
		v, err = s.trap(ctx)
	} else {
		v, err = s.close(ctx, c.lingerTime())
	}
	if err == nil && c.again {
		err = c.comeBack(ctx, s.local(), v)
	}
	return v, check, err
}

// meet makes the neighbour; the check is that it still works at the end.
func (c *cell) meet(ctx context.Context) (func(verdict) error, error) {
	other, err := c.make(c.proxy.Addr(), netip.AddrPort{})
	if err != nil {
		return nil, err
	}
	if err := other.allocate(ctx); err != nil {
		other.end()
		return nil, err
	}
	return func(verdict) error {
		defer other.end()
		if err := other.works(ctx); err != nil {
			return fmt.Errorf("the other client: %w", err)
		}
		return nil
	}, nil
}

// comeBack waits as long as the close said and allocates from the same port.
func (c *cell) comeBack(ctx context.Context, local netip.AddrPort, v verdict) error {
	if err := sleep(ctx, v.reuseAfter); err != nil {
		return err
	}
	s, err := c.make(c.proxy.Addr(), local)
	if err != nil {
		return err
	}
	defer s.end()
	if err := s.allocate(ctx); err != nil {
		return fmt.Errorf("again from %s after %v: %w", local, v.reuseAfter, err)
	}
	if s.local() != local {
		return fmt.Errorf("again from %s after %v: it took %s", local, v.reuseAfter, s.local())
	}
	_, err = s.close(ctx, defaultLinger)
	return err
}

// quiet is longer than any delay of the rows and any gap between two
// retransmissions within their lingers.
const quiet = 1500 * time.Millisecond

// count asks the server when nothing is under way any more: before that it may
// hold nothing because it has not been asked yet.
func (c *cell) count(ctx context.Context) (int, error) {
	for seen := -1; seen != len(c.proxy.Log()); {
		seen = len(c.proxy.Log())
		if err := sleep(ctx, quiet); err != nil {
			return 0, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	n, err := ht.AwaitHeld(ctx, c.server, c.left())
	return n - c.left(), err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
