package host

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/turnwasm/turnwasm/client"
)

// eventQueue is Events' bounded queue. It takes memory for what happens, and
// for its whole length when somebody asks for it.
type eventQueue struct {
	most    int
	dropped atomic.Uint64

	mu     sync.Mutex
	early  []Event    // what happened before that
	queue  chan Event // nil before that
	closed bool
}

func (q *eventQueue) put(e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	if q.queue == nil && len(q.early) < q.most {
		q.early = append(q.early, e)
		return
	}
	select {
	case q.queue <- e:
	default:
		q.dropped.Add(1)
	}
}

// channel is what Events answers.
func (q *eventQueue) channel() <-chan Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.queue != nil {
		return q.queue
	}
	q.queue = make(chan Event, q.most)
	for _, e := range q.early {
		q.queue <- e
	}
	if q.early = nil; q.closed {
		close(q.queue)
	}
	return q.queue
}

func (q *eventQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed = true; q.queue != nil {
		close(q.queue)
	}
}

// peerTable is what the server has confirmed, so that asking for it again does
// not wait for an event that is told once.
type peerTable struct {
	permitted map[netip.Addr]bool
	channels  map[netip.AddrPort]uint16
}

func (p *peerTable) reset() {
	p.permitted = make(map[netip.Addr]bool)
	p.channels = make(map[netip.AddrPort]uint16)
}

// happened takes an event of the machine's, under the instance's lock.
func (c *Conn) happened(e client.Event) {
	if e.Kind == client.PartingChanged || e.Kind == client.DataReceived {
		return // they come as descriptors
	}
	event := newEvent(c.driver.clock, e)
	c.react(&event, e.Flow)
	c.events.put(event)
	c.log(event)
}

func (c *Conn) react(e *Event, flow client.Flow) {
	switch e.Kind {
	case client.Allocated:
		c.allocated(e)
	case client.AllocateFailed:
		c.allocateFailed(e)
	case client.Refreshed:
		c.present.Store(&present{c.Relayed(), c.Mapped(), e.Lifetime, c.Additional()})
		c.measureSoon()
		c.waiters.settle(wantRefresh, netip.AddrPort{}, nil)
	case client.PermissionCreated:
		c.peers.permitted[e.Peer.Addr()] = true
		c.waiters.settle(wantPermission, hostOnly(e.Peer), nil)
	case client.PermissionFailed:
		delete(c.peers.permitted, e.Peer.Addr())
		c.waiters.settle(wantPermission, hostOnly(e.Peer), e.request(c.server))
	case client.ChannelBound:
		c.peers.channels[e.Peer] = e.Channel
		c.waiters.settle(wantChannel, e.Peer, nil)
	case client.ChannelFailed:
		delete(c.peers.channels, e.Peer)
		c.waiters.settle(wantChannel, e.Peer, e.request(c.server))
	case client.CommandDropped:
		c.commandDropped(e)
	case client.CredentialsExpired, client.RefreshFailed:
		c.waiters.settle(wantRefresh, netip.AddrPort{}, e.request(c.server))
	case client.NeedNewPort:
		c.wanted = flow
	case client.ConnectionAttempted, client.ConnectionReady, client.ConnectionFailed, client.ConnectionLost:
		c.relay.happened(e, flow)
	case client.FlowNeeded, client.Rebound, client.RebindFailed:
		c.moved(e, flow)
	case client.Redirected:
		c.alternate, c.domain = e.Peer, e.Domain
	case client.StreamBroken:
		c.endStream(flow)
	case client.AllocationLost:
		c.allocationLost(e)
	case client.Closed:
		c.end(e.verdict())
	}
}

func (c *Conn) allocated(e *Event) {
	c.present.Store(&present{e.Relayed, e.Mapped, e.Lifetime, e.Additional})
	c.peers.reset()
	c.ports = 1
	c.measureSoon()
	c.waiters.settle(wantAllocation, netip.AddrPort{}, nil)
	c.arrived()
}

func (c *Conn) allocateFailed(e *Event) {
	if e.Method == "" {
		e.Method = methodAllocate
	}
	if e.Code == 437 {
		c.mismatched(e)
	}
	c.started = !e.Until.IsZero()
	why := e.request(c.server)
	if e.Code == 300 {
		why.Alternate, why.AlternateDomain = c.alternate, c.domain
	}
	c.alternate, c.domain = netip.AddrPort{}, ""
	c.rt.resting.note(e.At, why)
	c.waiters.fail(why)
	if c.move.failed != nil {
		c.shut(&lostError{why})
	}
	c.move.under, c.move.failed = false, nil
}

// mismatched: only the host knows how many local ports were tried. One that the
// caller chose says nothing of the others.
func (c *Conn) mismatched(e *Event) {
	if c.ports >= maxPorts {
		e.Reason = fmt.Sprintf("the server holds allocations on all of %d local ports", c.ports)
		e.RetryAfter = restAfterMismatch
		return
	}
	e.RetryAfter = 0
	if c.settings.ownsPort() {
		e.Reason = "the server holds another allocation on this local port"
	}
}

// commandDropped answers whoever waited for the command. Its method says which
// kind it was.
func (c *Conn) commandDropped(e *Event) {
	why := e.request(c.server)
	c.waiters.settle(wantPermission, hostOnly(e.Peer), why)
	c.waiters.settle(wantChannel, e.Peer, why)
}

// allocationLost ends the Conn's usefulness, unless the machine allocates anew.
func (c *Conn) allocationLost(e *Event) {
	c.peers.reset()
	c.present.Store(&nothing)
	why := &lostError{e.request(c.server)}
	if c.settings.Reallocate || c.move.under {
		c.waiters.settle(wantRefresh, netip.AddrPort{}, why)
		return
	}
	c.waiters.fail(why)
	c.shut(why)
}

// lostError is a *RequestError that is ErrLost too.
type lostError struct{ cause *RequestError }

func (e *lostError) Error() string   { return ErrLost.Error() + ": " + e.cause.Error() }
func (e *lostError) Unwrap() []error { return []error{ErrLost, e.cause} }

// hostOnly is the key of a permission: it has no port.
func hostOnly(peer netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(peer.Addr(), 0) }
