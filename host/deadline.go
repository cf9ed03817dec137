package host

import (
	"sync"
	"sync/atomic"
	"time"
)

// deadline is a time after which waiting ends. When it passes, tell is called:
// without any lock by the timer, in its caller's place by set.
type deadline struct {
	passed atomic.Bool
	tell   func()

	mu    sync.Mutex
	at    time.Time
	timer *time.Timer // nil: it was never needed
}

// set moves the deadline, also out of the past; the zero time is never.
func (d *deadline) set(t time.Time) {
	if d.move(t) {
		d.tell()
	}
}

// move says whether t has passed.
func (d *deadline) move(t time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = t
	if d.timer != nil {
		d.timer.Stop()
	}
	left := time.Until(t)
	passed := !t.IsZero() && left <= 0
	d.passed.Store(passed)
	switch {
	case t.IsZero() || passed:
	case d.timer == nil:
		d.timer = time.AfterFunc(left, d.fire)
	default:
		d.timer.Reset(left)
	}
	return passed
}

// fire is the timer's. One that could not be stopped any more finds another
// time than its own, and so does one by a clock that was set.
func (d *deadline) fire() {
	if d.due() {
		d.tell()
	}
}

func (d *deadline) due() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at.IsZero() {
		return false
	}
	if left := time.Until(d.at); left > 0 {
		d.timer.Reset(left)
		return false
	}
	d.passed.Store(true)
	return true
}

// stop is for the end of whom it was made for.
func (d *deadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = time.Time{}
	if d.timer != nil {
		d.timer.Stop()
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
