package host

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// move is a change of the local address under way. It is guarded by driver.mu.
type move struct {
	under  bool          // the machine wants another flow, or is on it and waits
	failed *RequestError // the allocation was not moved: a new one is made
	last   time.Time     // when the last one began by itself
	from   netip.Addr    // where the next sockets are; invalid: Config.LocalAddr's
}

// between two moves that begin by themselves: without any network each of them
// fails at once.
const movePause = time.Second

// Rebind moves the allocation to another local port, because the local address
// has changed or is about to, and waits for the server's answer. The relayed
// address, permissions and channels stay; what is written meanwhile waits. See
// Config.Mobility.
//
// A *MovedError says that the server did not move it and that there is a new
// allocation with the same permissions and channels on another relayed address.
// Any other error leaves things as they are, or the Conn is of no use any more:
// ErrLost.
func (c *Conn) Rebind(ctx context.Context) error {
	return c.ask(ctx, abi.Command{Cmd: abi.CmdRebind}, func() []*waiter {
		return []*waiter{c.waiters.add(wantRebind, netip.AddrPort{})}
	})
}

// RebindFrom is Rebind from another local address than Config.LocalAddr's: for
// those who know which one serves now. Sockets to come are there, too.
func (c *Conn) RebindFrom(ctx context.Context, local netip.Addr) error {
	c.driver.mu.Lock()
	c.move.from = local.Unmap()
	c.driver.mu.Unlock()
	return c.Rebind(ctx)
}

// MovedError: the allocation could not be moved, and a new one has taken its
// place.
type MovedError struct {
	Relayed netip.AddrPort // the new one's
	Cause   *RequestError
}

func (e *MovedError) Error() string {
	return "turn: a new allocation, on " + e.Relayed.String() + ": " + e.Cause.Error()
}
func (e *MovedError) Unwrap() error { return e.Cause }

// moved takes what the machine says of a move, under the lock.
func (c *Conn) moved(e *Event, flow client.Flow) {
	switch e.Kind {
	case client.FlowNeeded:
		if c.relay.needs(e, flow) {
			return
		}
		c.wanted, c.move.under = flow, true
	case client.Rebound:
		c.move.under, c.move.failed = false, nil
		now := *c.present.Load()
		if now.mapped = e.Mapped; !e.Mapped.IsValid() {
			now.mapped = netip.AddrPort{} // what the server saw before is not true any more
		}
		c.present.Store(&now)
		c.waiters.settle(wantRebind, netip.AddrPort{}, nil)
	case client.RebindFailed:
		c.move.under, c.move.failed = true, e.request(c.server)
	}
}

// arrived: there is a new allocation, maybe instead of the moved one.
func (c *Conn) arrived() {
	if why := c.move.failed; why != nil {
		c.waiters.settle(wantRebind, netip.AddrPort{}, &MovedError{c.Relayed(), why})
	} else if c.move.under {
		c.waiters.settle(wantRebind, netip.AddrPort{}, nil) // the first one, from another port
	}
	c.move.under, c.move.failed = false, nil
}

// outgrown takes the sockets of before a move that is over. What was to be
// released there was sent a round trip ago. The caller has the lock.
func (c *Conn) outgrown() []*transport {
	if len(c.flows) < 2 || c.move.under {
		return nil
	}
	old := c.flows[1:]
	c.flows = c.flows[:1:1]
	return old
}

// changeFlow opens what the machine wants: another local port after a 437, or
// any for a move.
func (c *Conn) changeFlow(flow client.Flow) {
	c.driver.mu.Lock()
	moves := c.move.under
	if moves {
		c.ports = 0
	}
	c.driver.mu.Unlock()
	if !moves {
		c.changePort(flow)
		return
	}
	old, err := c.reopenFlow(flow)
	if err != nil {
		c.driver.log.Warn("no other socket can be opened", "server", c.server, "error", err)
		c.stay(flow, err)
		return
	}
	c.driver.mu.Lock()
	c.flows = append(c.flows, old...) // until the move is answered, to release from
	c.driver.mu.Unlock()
	for _, t := range old {
		_ = t.setReadDeadline(longAgo) // whoever reads it goes on with the new one
	}
	c.tellFlow(flow, abi.FlowOpened)
}

// A stream that has ended is dialled again for as long as a request would wait
// for its answer, less and less often: a server that is starting anew refuses
// connections for a while.
const (
	mostReopening = 39500 * time.Millisecond
	firstReopen   = 100 * time.Millisecond
	mostReopen    = 5 * time.Second
)

func (c *Conn) reopenFlow(flow client.Flow) (old []*transport, err error) {
	end := time.Now().Add(mostReopening)
	for pause := firstReopen; ; pause = min(2*pause, mostReopen) {
		old, err = c.openFlow(flow)
		if err == nil || c.settings.via.transport() != client.TransportStream || !c.settings.Reallocate || time.Now().Add(pause).After(end) {
			return old, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-c.closing:
			timer.Stop()
			return nil, net.ErrClosed
		}
	}
}

// stay: there is no other socket.
func (c *Conn) stay(flow client.Flow, cause error) {
	c.driver.mu.Lock()
	old := c.move.failed
	c.driver.mu.Unlock()
	c.tellFlow(flow, abi.FlowClosed)
	_ = c.driver.do(func() error {
		if c.stage >= stageShut {
			return nil
		}
		if len(c.flows) > 1 && c.Lifetime() > 0 {
			return nil // the answer to the move before this one says where the allocation is
		}
		c.move.under, c.move.failed = false, nil
		c.waiters.settle(wantRebind, netip.AddrPort{}, cause)
		if c.Lifetime() == 0 {
			why := error(ErrLost)
			if old != nil {
				why = &lostError{old}
			}
			c.waiters.fail(why)
			c.shut(why)
		}
		return nil
	})
}

// maybeMove: a datagram could not be sent. If that is because the local address
// is gone, the allocation moves by itself, to where there is another way to the
// server: without a ticket a move begins with giving up what there is.
func (c *Conn) maybeMove(t *transport) {
	if !t.lost.Load() || !c.restedSinceMove(t) {
		return
	}
	probe, err := c.openAnother(t.flow)
	if err != nil {
		return
	}
	probe.close()
	_ = c.driver.do(func() error {
		if c.stage >= stageShut || c.flows[0] != t {
			return nil
		}
		c.driver.touch(c)
		err := c.command(&abi.Command{Cmd: abi.CmdRebind})
		if errors.Is(err, client.ErrPhase) {
			return nil // there is nothing to move
		}
		return err
	})
}

// restedSinceMove says whether a move from the socket may begin by itself.
func (c *Conn) restedSinceMove(t *transport) bool {
	c.driver.mu.Lock()
	defer c.driver.mu.Unlock()
	now := time.Now()
	if c.stage >= stageShut || c.flows[0] != t || now.Sub(c.move.last) < movePause {
		return false
	}
	c.move.last = now
	return true
}

// isLocalGone: the system does not send from the socket's own address any more.
// Linux answers EINVAL then, and for other reasons.
func isLocalGone(err error, local netip.AddrPort) bool {
	var earlier *earlierError
	if errors.As(err, &earlier) {
		return false // this datagram was sent
	}
	if errors.Is(err, syscall.EINVAL) {
		return !isThere(local.Addr())
	}
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.ENETDOWN)
}

// isThere says whether a socket can be opened on the address.
func isThere(local netip.Addr) bool {
	sock, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0)))
	if err != nil {
		return false
	}
	_ = sock.Close()
	return true
}
