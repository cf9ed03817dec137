package host

import (
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// "Once the client gives up on the server, it SHOULD NOT try to create another
// allocation on the server for 2 minutes."
// https://www.rfc-editor.org/rfc/rfc8656#section-7.4
const restAfterMismatch = 2 * time.Minute

// resting remembers which servers are left alone, until when, and why.
type resting struct {
	mu      sync.Mutex
	servers map[netip.AddrPort]rest
}

type rest struct {
	until time.Time
	why   *RequestError
}

// note remembers an answer that asks to be left alone; others it passes over.
func (r *resting) note(now time.Time, why *RequestError) {
	if why.RetryAfter <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.servers == nil {
		r.servers = make(map[netip.AddrPort]rest)
	}
	for server, old := range r.servers {
		if !now.Before(old.until) {
			delete(r.servers, server)
		}
	}
	r.servers[why.Server] = rest{until: now.Add(why.RetryAfter), why: why}
}

// check is an error while the server is left alone.
func (r *resting) check(now time.Time, server netip.AddrPort) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	old, ok := r.servers[server]
	if !ok || !now.Before(old.until) {
		return nil
	}
	left := old.until.Sub(now).Round(time.Second)
	return fmt.Errorf("%w for another %v: %w", ErrLeftAlone, left, old.why)
}
