package bridge

import (
	"context"
	"time"
)

// Shutdown takes no more sessions, tells every page to release, and waits until
// the sessions are over; what is left when ctx ends is ended, and its deposits
// are shipped. It returns when every socket to a TURN server is closed, which
// the partings bound, and answers ctx's error if it had to end a session.
func (b *Bridge) Shutdown(ctx context.Context) error {
	b.drain(ctx)
	over := make(chan struct{})
	go func() {
		b.awaitSessions()
		close(over)
	}()
	var err error
	select {
	case <-over:
	case <-ctx.Done():
		if b.endSessions() > 0 {
			err = context.Cause(ctx)
		}
		<-over
	}
	b.halt()
	_ = b.wt.Close() // closes the connections
	b.serving.Wait()
	return err
}

// drain tells every page.
func (b *Bridge) drain(ctx context.Context) {
	grace := time.Duration(0)
	if at, ok := ctx.Deadline(); ok {
		grace = max(0, time.Until(at))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draining = true
	for s := range b.sessions {
		s.goingAway(grace)
	}
}

func (b *Bridge) awaitSessions() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.sessions) > 0 {
		b.empty.Wait()
	}
}

// endSessions answers how many there were.
func (b *Bridge) endSessions() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.sessions {
		s.fail(CodeGoingAway, "the bridge stops")
	}
	return len(b.sessions)
}

// Close is a Shutdown without grace.
func (b *Bridge) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = b.Shutdown(ctx) // says that sessions were ended, as was asked
	return nil
}
