package host

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/turnwasm/turnwasm/wasm/abi"
)

// reader decides who reads the socket. It is the goroutine in ReadFrom or
// ReadBatch itself while there is one: a payload reaches it without waking
// another goroutine. While none is there the Conn's own goroutine, the
// background, reads, so that the server's answers always get to the machine.
//
// Who reads has the lead. What it reads and cannot take goes to the inbox, and
// those who wait take it from there. A reader that finds the background in the
// lead waits for what that one reads next, and is handed the lead then. When
// the lead was free for a while, or somebody waits for an answer of the
// server's, the background takes it: no timer is touched for each packet.
//
// Its lock is taken after the instance's.
type reader struct {
	front, back taker // the application's and the background's

	mu      sync.Mutex
	inbox   inbox
	sock    *transport // the control path's; nil: it failed
	leader  leader
	reading *transport // the leader's
	change  sync.Cond  // for readers that wait
	waiting int        // how many these are
	turn    sync.Cond  // for the background
	absent  bool       // the background may lead
	over    bool       // there will be no socket any more
	cut     bool       // the leader's read was ended by a deadline in the past

	watch    *time.Timer // nil before its first use
	watching bool
	led      uint32 // how often the application has led
	seen     uint32 // what the watch saw
}

type leader uint8

const (
	nobody leader = iota
	application
	background
)

// takeOver is how long the lead may be free. It is less than anything that
// waits for the server takes to become impatient.
const takeOver = 100 * time.Millisecond

func (r *reader) init(c *Conn, most int) {
	r.inbox.most, r.absent = most, true
	r.change.L, r.turn.L = &r.mu, &r.mu
	r.front.c, r.back.c = c, c
}

// awaitRead waits, with the lock, until the inbox has something or, with lead,
// until the caller is to read the socket.
func (c *Conn) awaitRead() (lead bool, err error) {
	r := &c.in
	for {
		if err := c.usable(&c.readDeadline); err != nil {
			return false, err
		}
		if r.inbox.held > 0 {
			return false, nil
		}
		r.absent = false
		if r.leader == nobody && r.sock != nil {
			return true, nil
		}
		r.waiting++
		r.change.Wait()
		r.waiting--
	}
}

// lead reads the socket into the messages and the inbox. It is called with the
// lock and comes back without it. It answers how many messages it has filled,
// and the first of them: once the lead is given up front.one is another's.
func (c *Conn) lead(ms []Message) (n int, first Message) {
	r := &c.in
	t := r.begin(application, &r.front)
	r.front.into, r.front.filled = ms, 0
	r.mu.Unlock()
	err := t.receive(&r.front)
	r.front.handOn()
	r.mu.Lock()
	n, first = r.front.filled, ms[0]
	touched := r.leave(&r.front)
	r.mu.Unlock()
	c.afterRead(t, err, touched)
	return n, first
}

// begin takes the lead, which is free.
func (r *reader) begin(who leader, in *taker) *transport {
	r.leader, r.reading, in.through = who, r.sock, r.sock
	if who == application {
		r.led++
	}
	return r.sock
}

// leave gives the lead up, and answers the Conns to settle.
func (r *reader) leave(in *taker) (touched []*Conn) {
	if r.cut {
		r.cut = false
		_ = r.reading.setReadDeadline(time.Time{})
	}
	if r.leader == background && r.waiting == 0 {
		r.absent = true // who came meanwhile has left again
	}
	r.leader, r.reading = nobody, nil
	r.passOn()
	if r.absent {
		r.turn.Signal()
	} else if !r.watching {
		r.startWatch()
	}
	touched = in.touched
	in.into, in.touched, in.one[0] = nil, nil, Message{}
	return touched
}

// passOn has one of those who wait take the lead if it is free.
func (r *reader) passOn() {
	if r.leader == nobody && r.waiting > 0 {
		r.change.Signal()
	}
}

// afterRead does what may not be done while the lead is held.
func (c *Conn) afterRead(t *transport, err error, touched []*Conn) {
	settle(touched)
	switch {
	case err == nil, errors.Is(err, os.ErrDeadlineExceeded), isTooLong(err):
	case isPathError(err):
		c.pathError(t)
	case c.in.drop(t) && !errors.Is(err, net.ErrClosed):
		c.driver.log.Warn("the socket fails", "local", t.local, "error", err)
		c.tellFlow(t.flow, abi.FlowClosed)
	}
}

// drop has nobody read the socket any more, and says whether it was the one to
// read.
func (r *reader) drop(t *transport) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sock != t {
		return false
	}
	r.sock = nil
	return true
}

// read is the background.
func (c *Conn) read() {
	defer c.rt.running.Done()
	for t := c.in.awaitTurn(); t != nil; t = c.in.awaitTurn() {
		err := t.receive(&c.in.back)
		c.in.back.handOn()
		c.in.mu.Lock()
		touched := c.in.leave(&c.in.back)
		c.in.mu.Unlock()
		c.afterRead(t, err, touched)
	}
}

// awaitTurn waits for the background's turn. It answers nil at the end.
func (r *reader) awaitTurn() *transport {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.over {
		if r.absent && r.leader == nobody && r.sock != nil {
			return r.begin(background, &r.back)
		}
		r.turn.Wait()
	}
	return nil
}

// attach gives the socket to read from now on.
func (r *reader) attach(t *transport) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sock, r.absent = t, true // there is something to be asked on a new path
	r.turn.Signal()
	r.change.Broadcast()
}

// serve has the background read unless the application is at it: somebody waits
// for what the server says.
func (r *reader) serve() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leader != application && r.waiting == 0 {
		r.absent = true
		r.turn.Signal()
	}
}

// wake makes readers look again whether they may go on, the one in the socket
// too.
func (r *reader) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leader == application && !r.cut {
		r.cut = true
		_ = r.reading.setReadDeadline(longAgo)
	}
	r.change.Broadcast()
}

var longAgo = time.Unix(1, 0)

// shut leaves the reading to the background for good: whoever wants to read is
// turned away.
func (r *reader) shut() {
	r.wake()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.absent = true
	r.turn.Signal()
}

// end is called when the sockets are closed.
func (r *reader) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	if r.watch != nil {
		r.watch.Stop()
	}
	r.turn.Signal()
}

// keep puts the arrival into the inbox, from payload number from on.
func (r *reader) keep(a *arrival, from int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inbox.keep(a, from)
	if r.waiting > 0 {
		r.change.Broadcast()
	}
}

func (r *reader) startWatch() {
	r.watching, r.seen = true, r.led
	if r.watch == nil {
		r.watch = time.AfterFunc(takeOver, r.look)
		return
	}
	r.watch.Reset(takeOver)
}

// look is the watch's.
func (r *reader) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watching = false
	switch {
	case r.leader != nobody || r.over:
	case r.led != r.seen:
		r.startWatch()
	default:
		r.absent = true
		r.turn.Signal()
	}
}
