//go:build unix

package core

import "sync"

// callback is somebody who is told of each payload.
type callback struct {
	tell func(p *Payload) // nil: the end
	stop chan struct{}
	once sync.Once
	done chan struct{}
}

// SetCallback has tell called with each payload, one after the other, and with
// nil at the end; a tell of nil ends that, and waits until no call is under way,
// unless within says that it is made by such a call.
func (s *Socket) SetCallback(tell func(p *Payload), within bool) error {
	s.mu.Lock()
	old := s.callback
	s.callback = nil
	closing := s.closing
	s.mu.Unlock()
	if old != nil {
		old.once.Do(func() { close(old.stop) })
		if !within {
			<-old.done
		}
	}
	if tell == nil {
		return nil
	}
	if closing {
		return &Error{Closed, errClosed}
	}
	call := &callback{tell: tell, stop: make(chan struct{}), done: make(chan struct{})}
	s.mu.Lock()
	if s.callback != nil || s.closing {
		s.mu.Unlock()
		return refuse(Closed, "the socket is being closed, or another thread sets its callback")
	}
	s.callback = call
	s.mu.Unlock()
	s.read()
	go call.run(s)
	return nil
}

func (c *callback) run(s *Socket) {
	defer close(c.done)
	var one [1]Payload
	for {
		_, err := s.payloads.take(one[:], -1, c.stop)
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
