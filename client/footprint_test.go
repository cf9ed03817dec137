package client_test

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

// Thousands of clients lie in one instance, whose memory never shrinks: what a
// client holds at rest, and what it holds more while a request is in flight, is
// counted here. A field that is added shows.
func TestFootprint(t *testing.T) {
	source := rand.NewChaCha8([32]byte{})
	r := newRig(t, func(cfg *client.Config) { cfg.Rand = source })
	held := func() int { return turntest.Footprint(r.Client) - turntest.Footprint(source) }
	r.must(r.Allocate)
	r.challenge(401, strings.Repeat("n", 64))
	r.grant()
	other := netip.MustParseAddr("198.51.100.77")
	r.must(func(now time.Duration) error { return r.CreatePermission(now, rigPeer.Addr(), other) })
	r.success(func(*turntest.Builder) {})
	r.bind(rigPeer)
	rest := held()
	if most := 1336; rest > most {
		t.Errorf("at rest a client holds %d bytes, at most %d are expected", rest, most)
	}

	// The nonce is counted once more, although it is the same text.
	r.must(r.Refresh)
	r.sent = nil
	if more, most := held()-rest, 208; more > most {
		t.Errorf("a Refresh in flight holds %d bytes, at most %d are expected", more, most)
	}
	r.success(func(b *turntest.Builder) { b.Lifetime(10 * time.Minute) })
	if left := held() - rest; left > 0 {
		t.Errorf("a Refresh that was answered leaves %d bytes", left)
	}
	t.Logf("%d bytes at rest", rest)
}
