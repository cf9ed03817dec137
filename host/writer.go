package host

import (
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// writer sends what WriteTo is given. A lone write goes out at once, on its
// caller's goroutine. What is written while another goroutine sends waits in a
// queue, and that one sends it too, as few large system calls. After some
// writes that follow each other closely a goroutine of its own, the flusher,
// takes over until the queue runs dry. The queue is bounded: who finds it full
// waits.
type writer struct {
	c        *Conn
	flushing atomic.Bool // there is a flusher; it changes with mu held
	flush    func()      // what the flusher runs; kept, so that starting it costs no memory

	mu      sync.Mutex
	room    sync.Cond // for writers that wait, and for Close
	queue   *pile     // nil: it is empty
	waiting int       // how many writers wait for room
	sending bool      // what was taken from the queue is not sent yet
	err     error     // of what was queued: the next write answers it
	shut    bool      // nothing more is taken
	over    bool      // and nothing more is sent

	streak int        // writes that followed each other closely; guarded by the turn
	last   float64    // when the last one was done
	one    [1]Message // a lone write's
}

const (
	// A write is of a tight loop when it comes so soon after the one before, in
	// ms; and so many make one.
	closely     = 0.003
	closeWrites = 4
	// turns is how often a writer sends what others have queued meanwhile
	// before it leaves them to the flusher.
	turns = 2
)

func (w *writer) init(c *Conn) {
	w.c, w.flush = c, w.run
	w.room.L = &w.mu
}

// write sends the payload or queues it.
func (w *writer) write(b []byte, peer netip.AddrPort) error {
	if w.flushing.Load() || !w.c.out.turn.TryLock() {
		err := w.put(b, peer)
		w.c.sendRest()
		return err
	}
	err := w.writeNow(b, peer)
	w.c.endTurn()
	return err
}

// writeNow has the turn.
func (w *writer) writeNow(b []byte, peer netip.AddrPort) error {
	if err := w.pastError(); err != nil {
		return err
	}
	w.sendQueued()
	now := w.c.driver.clock.now()
	if now-w.last > closely {
		w.streak = 0
	}
	if w.streak++; w.streak > closeWrites {
		w.streak = 0
		return w.putAndFlush(b, peer)
	}
	w.one[0] = Message{Buffer: b, Peer: peer}
	_, err := w.c.ship(w.one[:], now)
	w.one[0] = Message{}
	w.last = w.c.driver.clock.now()
	return err
}

// pastError answers the error of what was queued before, once.
func (w *writer) pastError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.err
	w.err = nil
	return err
}

// put queues the payload. It waits for room.
func (w *writer) put(b []byte, peer netip.AddrPort) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.queue.full(len(b)) && !w.shut && !w.c.writeDeadline.passed.Load() {
		w.waiting++
		w.room.Wait()
		w.waiting--
	}
	return w.add(b, peer)
}

func (w *writer) add(b []byte, peer netip.AddrPort) error {
	switch err := w.err; {
	case w.shut:
		return w.c.closedError()
	case err != nil:
		w.err = nil
		return err
	case w.queue.full(len(b)):
		return os.ErrDeadlineExceeded
	case len(b) > maxDatagram:
		return client.ErrTooLarge
	}
	if w.queue == nil {
		w.queue = piles.Get().(*pile)
	}
	w.queue.add(b, peer)
	return nil
}

// putAndFlush queues the payload, which finds the queue empty or shut, for the
// flusher.
func (w *writer) putAndFlush(b []byte, peer netip.AddrPort) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.add(b, peer)
	if err == nil {
		w.startFlusher()
	}
	return err
}

// startFlusher is called with the lock.
func (w *writer) startFlusher() {
	if !w.flushing.Load() && !w.over {
		w.flushing.Store(true)
		w.c.rt.running.Add(1)
		go w.flush()
	}
}

// run is the flusher.
func (w *writer) run() {
	defer w.c.rt.running.Done()
	for dry := 0; !w.mayStop(dry); dry++ {
		w.c.out.turn.Lock()
		if w.sendQueued() {
			dry = -1
		}
		w.c.endTurn()
		if dry >= 0 {
			runtime.Gosched() // to the writers, who may be about to go on
		}
	}
}

// patience is how often the flusher looks in vain before it stops while
// writers that were told of room have not run yet.
const patience = 50

func (w *writer) mayStop(dry int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queue != nil && !w.over || dry == 0 || w.waiting > 0 && dry < patience {
		return false
	}
	w.flushing.Store(false)
	return true
}

// sendQueued sends what is queued, and says whether something was. The turn is
// the caller's.
func (w *writer) sendQueued() bool {
	l := w.take()
	if l == nil {
		return false
	}
	_, err := w.c.ship(l.ms, w.c.driver.clock.now())
	clear(l.ms)
	l.data, l.ms = l.data[:0], l.ms[:0]
	piles.Put(l)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sending = false
	if err != nil {
		w.err = err
	}
	if w.shut {
		w.room.Broadcast()
	}
	return true
}

// take empties the queue, and lets those go on who wait for room before its
// content is sent: they fill it again meanwhile.
func (w *writer) take() *pile {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.queue
	if w.queue = nil; l != nil {
		w.sending = true
	}
	if w.waiting > 0 {
		w.room.Broadcast()
	}
	return l
}

// left says whether somebody who has the turn should send what is queued. One
// who has done so for several rounds leaves it to the flusher.
func (w *writer) left(round int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queue == nil || w.flushing.Load() {
		return false
	}
	if round >= turns {
		w.startFlusher()
		return false
	}
	return true
}

// wake makes those look again who wait for room.
func (w *writer) wake() {
	w.mu.Lock()
	w.room.Broadcast()
	w.mu.Unlock()
	if stream := w.c.stream.Load(); stream != nil {
		stream.wake()
	}
}

// close takes nothing more, and waits until what was taken is sent, at most so
// long.
func (w *writer) close(within time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shut = true
	w.room.Broadcast()
	if w.queue == nil && !w.sending {
		return
	}
	late := false
	timer := time.AfterFunc(within, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		late = true
		w.room.Broadcast()
	})
	defer timer.Stop()
	for (w.queue != nil || w.sending) && !late {
		w.room.Wait()
	}
}

// end drops what is still queued: nobody is there to send it to.
func (w *writer) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shut, w.over, w.queue = true, true, nil
	w.room.Broadcast()
}
