//go:build unix

package core

import "sync"

// callback is somebody who is told of each payload.
type callback struct {
	tell   func(p *Payload) // nil: the end
	before *callback        // who was told until now, and may be yet
	stop   chan struct{}
	halted sync.Once
	done   chan struct{}
}

// halt: no further call begins.
func (c *callback) halt() { c.halted.Do(func() { close(c.stop) }) }

// wait returns when no call is under way, of this one and of those before. Who is
// within a call waits for none: it might be its own, or one that waits for it.
func (c *callback) wait(within bool) {
	if c != nil && !within {
		<-c.done
	}
}

// SetCallback has tell called with each payload, one after the other, and with
// nil at the end; a tell of nil ends that. It waits until no call of the one
// before is under way, unless within says that it is made by a call.
func (s *Socket) SetCallback(tell func(p *Payload), within bool) error {
	s.mu.Lock()
	old := s.callback
	if old != nil {
		old.halt()
	}
	if tell != nil {
		if s.closing {
			s.mu.Unlock()
			return &Error{Closed, errClosed}
		}
		s.callback = &callback{tell: tell, before: old, stop: make(chan struct{}), done: make(chan struct{})}
		s.read()
		call := s.callback
		s.rt.callbacks.Go(func() { call.run(s.payloads) })
	}
	s.mu.Unlock()
	old.wait(within)
	return nil
}

func (c *callback) run(payloads *queue[Payload]) {
	defer close(c.done)
	c.before.wait(false)
	c.before = nil // it may have had one before it, too
	var one [1]Payload
	for {
		_, err := payloads.take(one[:], -1, c.stop)
		if err == errStopped {
			return
		}
		if err != nil {
			c.tell(nil)
			return
		}
		c.tell(&one[0])
	}
}
