package main

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// subject is a client under test. A step that it cannot do is errNotApplicable.
type subject interface {
	// closeAt allocates and closes the moment that the phase is reached.
	closeAt(ctx context.Context, phase client.Phase, linger time.Duration) (verdict, error)
	// cancelled dials and is cancelled while the signed Allocate is in flight.
	cancelled(ctx context.Context) (verdict, error)
	allocate(ctx context.Context) error
	// refreshing puts a Refresh on the wire and does not wait for its answer.
	refreshing(ctx context.Context) error
	close(ctx context.Context, linger time.Duration) (verdict, error)
	// trap ends the client's instance instead.
	trap(ctx context.Context) (verdict, error)
	// works: the allocation can still be refreshed.
	works(ctx context.Context) error
	local() netip.AddrPort
	// end gives back what is left, after the count.
	end()
}

// verdict is what the client says of its close.
type verdict struct {
	outcome    string
	reuseAfter time.Duration
}

var (
	errNotApplicable = errors.New("not applicable")
	// errRefused: the comparison's client got no allocation.
	errRefused = errors.New("refused")
)

// clean: it says that the server holds nothing. A Dial that was cancelled says
// nothing, and has to leave nothing behind all the same.
func clean(outcome string) bool {
	return outcome == client.Released.String() || outcome == client.NothingToRelease.String() || outcome == cancelled
}

const cancelled = "cancelled"
