package host

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Close releases the allocation and waits for the server's verdict, at most
// Config.Linger. It is nil when the server holds nothing of ours, otherwise a
// *CloseError.
func (c *Conn) Close() error {
	closed, err := c.CloseWith(context.Background(), max(0, c.settings.Linger))
	if err != nil {
		return err
	}
	return closed.err()
}

// CloseWith releases the allocation, waits for the server's verdict at most
// linger, and answers it. With linger 0 it sends one release and waits for
// nothing: the outcome is client.Unconfirmed then. Its error is the context's:
// the release goes on without the caller, and a later call can wait for it.
// A second call can shorten the linger; its verdict is the same.
func (c *Conn) CloseWith(ctx context.Context, linger time.Duration) (Closed, error) {
	c.beginClose(linger)
	select {
	case <-c.done:
	default:
		select {
		case <-c.done:
		case <-ctx.Done():
			return Closed{}, c.opError("close", c.server, ctx.Err())
		}
	}
	return c.verdict, nil // written before done was closed
}

// Done is closed when the Conn is closed and its verdict there, whoever closed
// it: Close, an armed CloseAt, a trap, the Runtime.
func (c *Conn) Done() <-chan struct{} { return c.done }

// mostFlush is how long a close without linger waits for what was written
// before it: that a goroutine is at it, not that the socket is full.
const mostFlush = 20 * time.Millisecond

// beginClose sends what was written before and lets the machine release.
func (c *Conn) beginClose(linger time.Duration) {
	c.writes.close(max(linger, mostFlush))
	_ = c.driver.do(func() error {
		return c.beginCloseLocked(linger)
	})
}

func (c *Conn) beginCloseLocked(linger time.Duration) error {
	if c.stage >= stageEnded {
		return nil
	}
	c.closeAt = nil
	c.shut(nil)
	c.waiters.fail(net.ErrClosed)
	c.driver.touch(c)
	_, err := c.driver.answer(c.driver.eng.close(c.driver.clock.now(), c.handle, abi.MS(linger)))
	return err
}

// shut sends readers and writers away, with net.ErrClosed or with why.
func (c *Conn) shut(why error) {
	if !c.become(stageShut) {
		return
	}
	if why != nil {
		c.failure.Store(&why)
	}
	c.disarmRenewal()
	close(c.closing)
	c.in.shut()
	c.writes.wake()
}

// end is the last thing that happens to a client.
func (c *Conn) end(verdict Closed) {
	c.shut(nil)
	c.become(stageEnded)
	c.verdict = verdict
	c.present.Store(&nothing)
	c.waiters.fail(net.ErrClosed)
	c.relay.end()
	c.driver.touch(c)
}

// closeAt is an armed close.
type closeAt struct {
	phase  client.Phase
	linger time.Duration
}

// CloseAt closes the Conn the moment that its client is in the phase, before
// anything else can happen to it: for checkers and tests of what a close leaves
// behind. It acts at once if the client is in that phase already. What was
// waited for ends with net.ErrClosed; CloseWith answers the verdict.
func (c *Conn) CloseAt(phase client.Phase, linger time.Duration) error {
	return c.driver.do(func() error {
		if c.stage >= stageEnded {
			return net.ErrClosed
		}
		c.closeAt = &closeAt{phase, linger}
		c.driver.touch(c)
		return nil
	})
}

// followUp is called under the lock, when no descriptor is being read.
func (c *Conn) followUp() bool {
	if c.unmeasured || c.stage == stageEnded {
		c.learn()
	}
	if c.stage == stageEnded {
		c.countLocked()
		c.become(stageFreed)
		delete(c.driver.conns, c.handle)
		_, _ = c.driver.answer(c.driver.eng.free(c.handle))
		return true
	}
	if c.closeAt == nil || c.stage >= stageEnded {
		return false
	}
	state, err := c.state()
	if err != nil || state.Phase != c.closeAt.phase {
		return false
	}
	return c.beginCloseLocked(c.closeAt.linger) == nil
}

// state asks the machine.
func (c *Conn) state() (abi.State, error) {
	n, err := c.driver.answer(c.driver.eng.state(c.handle))
	if err != nil {
		return abi.State{}, err
	}
	control := c.driver.layout.ControlOut.Of(c.driver.region)
	if n > len(control) {
		return abi.State{}, fmt.Errorf("%w: a state of %d bytes", abi.ErrLayout, n)
	}
	return abi.ParseState(control[:n])
}
