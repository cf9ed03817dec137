package host

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// Conn is a client with its sockets: a net.PacketConn whose address is the
// relayed transport address.
//
// Locks are taken in this order: the turn to send (out.turn), a slot of the
// arena, the instance's (driver.mu), and those of the reader, the writer, the
// outbox and the events, of which nobody holds two.
type Conn struct {
	rt       *Runtime
	driver   *driver
	settings settings
	server   netip.AddrPort
	handle   int32 // the client's, in driver

	// What the machine said last, for those who ask without the lock.
	present atomic.Pointer[present]
	local   atomic.Pointer[netip.AddrPort]
	stream  atomic.Pointer[streamWire] // nil: datagrams
	failure atomic.Pointer[error]      // why ReadFrom and WriteTo fail for good
	told    atomic.Bool                // Dial has answered what may be left behind

	in            reader
	writes        writer
	out           outbox
	events        eventQueue
	readDeadline  deadline
	writeDeadline deadline
	addrs         addrCache

	closing chan struct{} // closed when nobody reads or writes any more
	done    chan struct{} // closed when the sockets are, and verdict is there

	// Guarded by driver.mu.
	stage     stage
	touched   bool           // it is in driver.touched
	started   bool           // an Allocate was asked for
	alternate netip.AddrPort // that the last 300 named
	domain    string         // likewise, for the certificate
	wanted    client.Flow    // to be opened from another local port; 0 = none
	ports     int            // local ports tried for this allocation
	move      move
	renewal   renewal
	flows     []*transport
	parting   parting
	peers     peerTable
	numbers   numbers
	waiters   waiters
	relay     *relay       // nil: the relayed address relays datagrams
	closeAt   *closeAt     // nil = not armed
	verdict   Closed       // from stageEnded on
	counted   client.Stats // when it was asked for last
	way       way          // likewise
	// unmeasured: something was answered since it was asked for.
	unmeasured bool
}

func newConn(rt *Runtime, s settings, t *transport) *Conn {
	c := &Conn{
		rt: rt, settings: s, server: t.server,
		events:  eventQueue{most: s.EventQueue},
		closing: make(chan struct{}), done: make(chan struct{}),
	}
	c.in.init(c, s.ReceiveQueue)
	c.writes.init(c)
	c.readDeadline.tell, c.writeDeadline.tell = c.in.wake, c.writes.wake
	c.peers.reset()
	c.present.Store(&nothing)
	if s.RelayTCP {
		c.relay = newRelay(c)
	}
	return c
}

// stage is how far a Conn is. It only ever grows.
type stage uint8

const (
	stageOpen     stage = iota
	stageShut           // readers and writers were sent away
	stageEnded          // the verdict is there
	stageFreed          // the handle was given back, or died with its engine
	stageFinished       // the sockets are closed, or somebody is at it
)

// become moves on, and says whether it was not that far before.
func (c *Conn) become(s stage) bool {
	if c.stage >= s {
		return false
	}
	c.stage = s
	return true
}

// present is the allocation as it is now.
type present struct {
	relayed, mapped netip.AddrPort
	lifetime        time.Duration
	additional      netip.AddrPort
}

// nothing is present without an allocation.
var nothing present

// Relayed is the relayed transport address; zero without an allocation.
func (c *Conn) Relayed() netip.AddrPort { return c.present.Load().relayed }

// Additional is the relayed address of the other family than Relayed's, where
// client.FamilyBoth asked for both and the server gave both; else zero.
func (c *Conn) Additional() netip.AddrPort { return c.present.Load().additional }

// Mapped is the server-reflexive transport address, as the server saw it.
func (c *Conn) Mapped() netip.AddrPort { return c.present.Load().mapped }

// Lifetime is what the server granted last.
func (c *Conn) Lifetime() time.Duration { return c.present.Load().lifetime }

// Local is the socket's own transport address.
func (c *Conn) Local() netip.AddrPort { return *c.local.Load() }

// Server is the server's transport address.
func (c *Conn) Server() netip.AddrPort { return c.server }

// LocalAddr is Relayed as a *net.UDPAddr, or of RelayTCP a *net.TCPAddr.
func (c *Conn) LocalAddr() net.Addr {
	if c.settings.RelayTCP {
		return net.TCPAddrFromAddrPort(c.Relayed())
	}
	return net.UDPAddrFromAddrPort(c.Relayed())
}

// Events hands out what happens, DataReceived apart. What is not taken waits
// in a bounded queue; what does not fit is dropped, and Stats counts it. The
// channel is closed after client.Closed.
func (c *Conn) Events() <-chan Event { return c.events.channel() }

// flowOf is the socket of a flow, nil when it is not there any more.
func (c *Conn) flowOf(flow client.Flow) *transport {
	for _, t := range c.flows {
		if t.flow == flow {
			return t
		}
	}
	return nil
}

// settle does what must not be done under the lock. Any goroutine may be here,
// unless it has the turn to send.
func (c *Conn) settle() {
	c.sendRest()
	wanted, old, last := c.errands()
	closeAll(old)
	switch {
	case wanted == 0:
	case c.settings.via == overUDP:
		c.changeFlow(wanted)
	default: // it takes as long as the server likes, and others wait for this goroutine
		c.rt.running.Add(1)
		go func() {
			defer c.rt.running.Done()
			c.changeFlow(wanted)
		}()
	}
	switch {
	case !last:
	case c.settings.via == overUDP:
		c.finish()
	default: // a stream that is full is waited for, and others wait for this goroutine
		c.aside(c.finish)
	}
}

// errands takes over what is left to do: a flow that the machine wants, sockets
// to close, and to be the last one here.
func (c *Conn) errands() (wanted client.Flow, old []*transport, last bool) {
	c.driver.mu.Lock()
	defer c.driver.mu.Unlock()
	wanted, c.wanted = c.wanted, 0
	if c.stage < stageEnded {
		return wanted, c.outgrown(), false
	}
	return 0, nil, c.become(stageFinished)
}

// finish closes the sockets after the last datagram went out.
func (c *Conn) finish() {
	c.readDeadline.stop()
	c.writeDeadline.stop()
	c.writes.end()
	c.sendLast()
	for _, t := range c.flows {
		t.close()
	}
	c.in.end()
	c.events.close()
	c.logCounts()
	c.rt.forget(c)
	close(c.done)
}
