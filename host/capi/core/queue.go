//go:build unix

package core

import (
	"sync"
	"time"
)

// queue hands things from one goroutine to many, who may wait for them or poll.
type queue[T any] struct {
	mu     sync.Mutex
	items  []T
	most   int
	ended  error
	change chan struct{} // closed, and made anew, when something changes
	signal *signal       // nil: nobody polls
	gone   bool          // the signal is closed, and stays so
}

func newQueue[T any](most int) *queue[T] {
	return &queue[T]{most: most, change: make(chan struct{})}
}

func (q *queue[T]) changed() {
	close(q.change)
	q.change = make(chan struct{})
	q.signal.set(len(q.items) > 0 || q.ended != nil)
}

// put waits while the queue is full. It answers false when it has ended.
func (q *queue[T]) put(item T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) >= q.most && q.ended == nil {
		change := q.change
		q.mu.Unlock()
		<-change
		q.mu.Lock()
	}
	if q.ended != nil {
		return false
	}
	q.items = append(q.items, item)
	q.changed()
	return true
}

// end is what who finds the queue empty is told from now on.
func (q *queue[T]) end(why error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended == nil {
		q.ended = why
		q.changed()
	}
}

// take fills into with what is there, at least one. It waits for timeout, or, if
// that is negative, until there is something.
func (q *queue[T]) take(into []T, timeout time.Duration, stop <-chan struct{}) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var late <-chan time.Time
	for {
		select {
		case <-stop: // whatever there is
			return 0, errStopped
		default:
		}
		if len(q.items) > 0 {
			break
		}
		if q.ended != nil {
			return 0, q.ended
		}
		if timeout == 0 {
			return 0, refuse(Again, "nothing is there")
		}
		if late == nil && timeout > 0 {
			timer := time.NewTimer(timeout)
			defer timer.Stop()
			late = timer.C
		}
		if err := q.wait(late, stop); err != nil {
			return 0, err
		}
	}
	n := copy(into, q.items)
	clear(q.items[:n])
	if q.items = q.items[n:]; len(q.items) == 0 {
		q.items = nil
	}
	q.changed()
	return n, nil
}

// wait lets go of the lock until something changes.
func (q *queue[T]) wait(late <-chan time.Time, stop <-chan struct{}) error {
	change := q.change
	q.mu.Unlock()
	defer q.mu.Lock()
	select {
	case <-change:
		return nil
	case <-late:
		return refuse(Timeout, "nothing came in time")
	case <-stop:
		return errStopped
	}
}

// errStopped: whoever took does not want to any more.
var errStopped = &Error{Closed, errClosed}

// fd is readable while there is something, and at the end.
func (q *queue[T]) fd() (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gone {
		return -1, &Error{Closed, errClosed}
	}
	if q.signal == nil {
		s, err := newSignal()
		if err != nil {
			return -1, &Error{Transport, err}
		}
		q.signal = s
		q.signal.set(len(q.items) > 0 || q.ended != nil)
	}
	return q.signal.read, nil
}

// close gives the descriptor back.
func (q *queue[T]) close() {
	q.end(&Error{Closed, errClosed})
	q.mu.Lock()
	defer q.mu.Unlock()
	q.gone = true
	q.signal.close()
	q.signal = nil
}
