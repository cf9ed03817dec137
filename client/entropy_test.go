package client_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

// dry gives so many bytes, and then none.
type dry struct {
	io.Reader
	left int
}

func (d *dry) Read(b []byte) (int, error) {
	if len(b) > d.left {
		return 0, io.ErrUnexpectedEOF
	}
	d.left -= len(b)
	return d.Reader.Read(b)
}

func withEntropy(d *dry) func(*client.Config) {
	d.Reader = rand.NewChaCha8([32]byte{1})
	return func(cfg *client.Config) { cfg.Rand = d }
}

func TestT12TransactionIDsAreDrawn(t *testing.T) {
	seen := map[turntest.TransactionID]bool{}
	for seed := range byte(50) {
		r := newRig(t, func(cfg *client.Config) { cfg.Rand = rand.NewChaCha8([32]byte{seed}) })
		r.reach(client.PhaseAllocating)
		seen[r.last.ID] = true
		r.challenge(401, "n1")
		seen[r.last.ID] = true
	}
	if len(seen) != 100 {
		t.Errorf("100 requests under %d IDs", len(seen))
	}
	var ones [12]int
	for id := range seen {
		for i, b := range id {
			ones[i] += int(b & 1)
		}
	}
	for i, n := range ones {
		if n < 20 || n > 80 {
			t.Errorf("byte %d is odd in %d of 100 IDs", i, n)
		}
	}
}

func TestT12NoClientWithoutEntropy(t *testing.T) {
	cfg := rigConfig()
	withEntropy(&dry{left: 1})(&cfg)
	if _, err := client.New(cfg); !errors.Is(err, client.ErrEntropy) {
		t.Errorf("New answers %v", err)
	}
}

// Entropy may fail at any draw: the client ends, releasing with the ID that it
// drew beforehand, and never hangs or panics.
func TestT12EntropyRunsOut(t *testing.T) {
	outcomes := map[client.Outcome]int{}
	for left := 2; left < 200; left++ {
		d := &dry{left: left}
		r := newRig(t, withEntropy(d))
		e, sent := untilDry(r)
		if e.Kind != client.Closed {
			continue // it sufficed
		}
		outcomes[e.Outcome]++
		if e.Outcome == client.Unconfirmed != sent || e.Outcome == client.Unconfirmed && e.Until == 0 {
			t.Errorf("%d bytes of entropy: %v, Until %v, a release sent: %v", left, e.Outcome, e.Until, sent)
		}
		r.advance(time.Hour)
		r.nothing("closed")
	}
	if outcomes[client.Unconfirmed] == 0 || outcomes[client.NothingToRelease] == 0 {
		t.Errorf("the outcomes were %v", outcomes)
	}
}

// untilDry lives a whole life, up to Closed for want of entropy.
func untilDry(r *rig) (closed client.Event, released bool) {
	steps := []func(){
		func() { r.do(r.Allocate) },
		func() { r.challenge(401, "n1") },
		func() { r.grant() },
		func() { r.do(func(now time.Duration) error { return r.BindChannel(now, rigPeer) }) },
		func() { r.challenge(438, "n2") },
		func() { r.success(nil) },
		func() { r.do(func(now time.Duration) error { return r.Send(now, rigOtherPort, nil) }) },
		func() { r.do(r.Refresh) },
	}
	for _, step := range steps {
		step()
		for _, e := range r.told {
			if e.Kind == client.Closed {
				return e, len(r.sent) == 1
			}
		}
	}
	return client.Event{}, false
}
