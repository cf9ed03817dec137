package bridge

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

func TestShutdownLetsPagesRelease(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, server hosttest.Server) {
		r, b := newRig(t, nil, server.Addr()), newBrowser(t)
		p := r.allocated(b, server.Addr())
		released := make(chan client.Outcome, 1)
		go func() {
			f, err := p.awaitFrame(soon(t), frameGoingAway)
			if err != nil || len(f.value) != 4 || binary.BigEndian.Uint32(f.value) == 0 {
				t.Errorf("GOING_AWAY is %v, %v", f, err)
			}
			outcome, err := p.release(soon(t))
			if err != nil {
				t.Error(err)
			}
			released <- outcome
		}()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := r.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if outcome := <-released; outcome != client.Released {
			t.Errorf("the close is %v", outcome)
		}
		wantHeld(t, server, 0)
		if n := r.metric("partings_total"); n != 0 {
			t.Errorf("%v partings were shipped", n)
		}
	})
}

func TestShutdownReleasesForPagesThatDoNot(t *testing.T) {
	t.Parallel()
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	r, b := newRig(t, nil, server.Addr()), newBrowser(t)
	var pages []*page
	for range 5 {
		pages = append(pages, r.allocated(b, server.Addr()))
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- r.Shutdown(ctx) }()
	for _, p := range pages {
		if _, err := p.awaitFrame(soon(t), frameGoingAway); err != nil {
			t.Fatal(err)
		}
	}
	late, err := b.dial(soon(t), r.at, Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantEnd(t, late, CodeGoingAway)
	late.die()
	echo(t, pages[0], hosttest.NeedEcho(t).Addr(), 100) // those that are there go on
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	for _, p := range pages {
		wantEnd(t, p, CodeGoingAway)
	}
	if n, err := server.Held(); n != 0 || err != nil {
		t.Errorf("the server holds %d allocations after Shutdown (%v)", n, err)
	}
	r.wantMetric(5, "partings_total", "result", "released")
	if err := r.Serve(nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Serve after Shutdown: %v", err)
	}
}

func TestShutdownOfNobody(t *testing.T) {
	r := newRig(t, nil, elsewhere)
	if err := r.Shutdown(soon(t)); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
