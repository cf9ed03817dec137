package host

import (
	"context"
	"net/netip"
)

// want is what a caller waits for.
type want uint8

const (
	wantAllocation want = iota
	wantRefresh
	wantPermission
	wantChannel
	wantRebind
)

// waiter is a caller that waits for an event.
type waiter struct {
	want want
	peer netip.AddrPort // of a permission: port 0
	done chan error     // holds one
}

// waiters are guarded by the instance's lock.
type waiters struct{ list []*waiter }

func (w *waiters) add(what want, peer netip.AddrPort) *waiter {
	one := &waiter{what, peer, make(chan error, 1)}
	w.list = append(w.list, one)
	return one
}

// settle answers those who wait for this.
func (w *waiters) settle(what want, peer netip.AddrPort, err error) {
	w.answer(err, func(o *waiter) bool { return o.want == what && o.peer == peer })
}

// fail answers everybody.
func (w *waiters) fail(err error) { w.answer(err, func(*waiter) bool { return true }) }

func (w *waiters) remove(gone *waiter) {
	w.answer(context.Canceled, func(o *waiter) bool { return o == gone })
}

func (w *waiters) answer(err error, is func(*waiter) bool) {
	kept := w.list[:0]
	for _, o := range w.list {
		if is(o) {
			o.done <- err
		} else {
			kept = append(kept, o)
		}
	}
	clear(w.list[len(kept):])
	w.list = kept
}
