package host

import (
	"net/netip"
	"sync"
	"time"
)

// "Once the client gives up on the server, it SHOULD NOT try to create another
// allocation on the server for 2 minutes."
// https://www.rfc-editor.org/rfc/rfc8656#section-7.4
const restAfterMismatch = 2 * time.Minute

// maxResting is how many servers are remembered. Any server that a Runtime
// is used with can make an entry, and is forgotten when its time is over.
const maxResting = 256

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
	if _, known := r.servers[why.Server]; !known && len(r.servers) >= maxResting {
		r.forgetSoonest()
	}
	r.servers[why.Server] = rest{until: now.Add(why.RetryAfter), why: why}
}

// forgetSoonest makes room: its server would be asked again first anyway.
func (r *resting) forgetSoonest() {
	var soonest netip.AddrPort
	for server, old := range r.servers {
		if !soonest.IsValid() || old.until.Before(r.servers[soonest].until) {
			soonest = server
		}
	}
	delete(r.servers, soonest)
}

// LeftAloneError is what Dial and Allocate answer at once, and without asking
// the server, while it is left alone after an earlier answer of its own to a
// Conn of the same Runtime (437 on three local ports, 486, 508). It wraps
// ErrLeftAlone and that answer. Config.Impatient asks the server all the same.
type LeftAloneError struct {
	Until time.Time
	Cause *RequestError

	left time.Duration // when it was made
}

func (e *LeftAloneError) Error() string {
	return ErrLeftAlone.Error() + " for another " + e.left.Round(time.Second).String() + ": " + e.Cause.Error()
}
func (e *LeftAloneError) Unwrap() []error { return []error{ErrLeftAlone, e.Cause} }

// check is a *LeftAloneError while the server is left alone.
func (r *resting) check(now time.Time, server netip.AddrPort) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	old, ok := r.servers[server]
	if !ok || !now.Before(old.until) {
		return nil
	}
	return &LeftAloneError{Until: old.until, Cause: old.why, left: old.until.Sub(now)}
}
