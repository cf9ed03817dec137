package bridge

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// A third of the sessions dies, each third of them in its own way.
const (
	manySessions  = 1000
	manyAborted   = 111
	manyKilled    = 111
	manySilent    = 111
	manyAtOnce    = 20 // handshakes
	silenceOfMany = 10 * time.Second
)

// TestManySessions: what dies is released, what lives is not disturbed, and
// nothing is left of either.
func TestManySessions(t *testing.T) {
	t.Run("pion", func(t *testing.T) { runManySessions(t, hosttest.NeedPion(t, hosttest.PionOptions{})) })
	t.Run("coturn", func(t *testing.T) {
		enoughPorts := []string{"--min-port=10000", "--max-port=14000"}
		runManySessions(t, hosttest.NeedCoturn(t, enoughPorts...))
	})
}

func runManySessions(t *testing.T, server hosttest.Server) {
	scale := 1
	if testing.Short() || raceEnabled {
		scale = 10
	}
	before := footprint()
	r := newRig(t, func(c *Config) {
		c.Limits = Limits{Sessions: manySessions, SessionsPerAddress: manySessions, Silence: silenceOfMany}
	}, server.Addr())
	b := newBrowser(t)
	doomed, mute := newMutableBrowser(t)

	_, _, kill := child(t, fmt.Sprintf("pages %v %s %d", r.at, serverQuery(server.Addr()), manyKilled/scale))
	silent := openMany(t, r, doomed, server, manySilent/scale)
	aborted := openMany(t, r, b, server, manyAborted/scale)
	alive := openMany(t, r, b, server, (manySessions-manyAborted-manyKilled-manySilent)/scale)
	dead := manyKilled/scale + len(silent) + len(aborted)
	wantHeld(t, server, dead+len(alive))
	r.wantMetric(float64(dead+len(alive)), "sockets")
	t.Logf("%d sessions: %v", dead+len(alive), footprint().minus(before))

	kill()
	mute()
	eachOf(aborted, func(p *page) { p.die() })
	wantHeld(t, server, len(alive))
	r.wantMetric(float64(dead), "partings_total", "result", "released")

	eachOf(alive[len(alive)/2:], func(p *page) {
		if outcome, err := p.release(soon(t)); outcome != client.Released || err != nil {
			t.Errorf("a session was disturbed: %v, %v", outcome, err)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = r.Shutdown(ctx) // the rest: the bridge goes before its pages
	wantHeld(t, server, 0)
	for _, name := range []string{"connections", "sessions", "sockets"} {
		if n := r.metric(name); n != 0 {
			t.Errorf("%v %s are left", n, name)
		}
	}
	eachOf(append(silent, alive...), (*page).die)
	if left := footprint().minus(before); left.files > 3 { // the rig's and the browsers' sockets
		t.Errorf("%d files are left open", left.files)
	}
}

// openMany opens pages that have an allocation and a deposit.
func openMany(t *testing.T, r *rig, b *browser, server hosttest.Server, n int) []*page {
	t.Helper()
	pages := make([]*page, n)
	slots := make(chan struct{}, manyAtOnce)
	var all sync.WaitGroup
	for i := range pages {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			p, err := b.open(soon(t), r.at, serverQuery(server.Addr()))
			if err == nil {
				_, err = p.allocate(soon(t))
			}
			if err == nil {
				err = p.settle(soon(t))
			}
			if err != nil {
				t.Errorf("session %d: %v", i, err)
			}
			pages[i] = p
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return pages
}

func eachOf(pages []*page, do func(*page)) {
	slots := make(chan struct{}, manyAtOnce)
	var all sync.WaitGroup
	for _, p := range pages {
		slots <- struct{}{}
		all.Go(func() {
			do(p)
			<-slots
		})
	}
	all.Wait()
}

// usage is what this process holds.
type usage struct{ goroutines, files, heap int }

func footprint() usage {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd") // elsewhere: none
	return usage{runtime.NumGoroutine(), len(files), int(m.HeapInuse + m.StackInuse)}
}

func (u usage) minus(o usage) usage {
	return usage{u.goroutines - o.goroutines, u.files - o.files, u.heap - o.heap}
}

func (u usage) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d KiB of heap and stacks", u.goroutines, u.files, u.heap>>10)
}
