package host

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// mostUnsent is what a stream may keep before payloads wait; mostStuck is
	// what ends it, because nobody waits with the machine's own messages.
	mostUnsent = 256 << 10
	mostStuck  = 4 << 20
	// lastFlush is how long a close waits for what was written before it.
	lastFlush = 500 * time.Millisecond
	// streamRoom is what one read takes.
	streamRoom = 32 << 10
)

var errStuck = errors.New("the server reads nothing any more")

// streamWire is a TCP or TLS connection. What is sent is put together, and
// written by a goroutine that lives while there is something to write: so
// nobody holds a slot of the arena while the stream is full, and what comes
// while a write is under way goes out as one.
type streamWire struct {
	conn net.Conn     // as the protocol sees it
	raw  *net.TCPConn // beneath it
	room []byte

	mu      sync.Mutex
	change  sync.Cond
	waiting []byte
	spare   []byte
	writing bool
	closed  bool
	err     error // of a write: the stream is over
}

func newStreamWire(conn net.Conn, raw *net.TCPConn) *streamWire {
	w := &streamWire{conn: conn, raw: raw}
	w.change.L = &w.mu
	return w
}

func (w *streamWire) one(b []byte) (sent bool, err error) {
	n, err := w.ship(cargo{each: [][]byte{b}})
	return n == 1, err
}

func (w *streamWire) ship(c cargo) (n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ; n < c.count(); n++ {
		if err := w.put(c.at(n)); err != nil {
			return n, err
		}
	}
	if !w.writing && len(w.waiting) > 0 {
		w.writing = true
		go w.write()
	}
	return n, nil
}

// put is called with the lock. All of a message goes in or nothing.
func (w *streamWire) put(b []byte) error {
	switch {
	case w.closed:
		return net.ErrClosed
	case w.err != nil:
		return w.err
	case len(w.waiting)+len(b) > mostStuck:
		w.fail(errStuck)
		return w.err
	}
	w.waiting = append(w.waiting, b...)
	return nil
}

// fail is called with the lock. The reader notices the end.
func (w *streamWire) fail(err error) {
	if w.err == nil {
		w.err = fmt.Errorf("the stream ended: %v", err) // no error of a path's
	}
	w.waiting = nil
	w.raw.Close()
	w.change.Broadcast()
}

// write writes until nothing waits.
func (w *streamWire) write() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.waiting) > 0 && w.err == nil {
		b := w.waiting
		w.waiting = w.spare[:0]
		w.change.Broadcast()
		w.mu.Unlock()
		_, err := w.conn.Write(b)
		w.mu.Lock()
		if w.spare = nil; cap(b) <= 2*mostUnsent {
			w.spare = b
		}
		if err != nil {
			w.fail(err)
		}
	}
	w.writing = false
	w.change.Broadcast()
}

// awaitRoom waits while much is unsent, until over says that it is over.
func (w *streamWire) awaitRoom(over func() bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.waiting) > mostUnsent && w.err == nil && !w.closed && !over() {
		w.change.Wait()
	}
}

func (w *streamWire) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.change.Broadcast()
}

// receive hands on what comes, however it is cut: the machine finds the frames.
func (w *streamWire) receive(in intake) error {
	if w.room == nil {
		w.room = make([]byte, streamRoom)
	}
	n, err := w.conn.Read(w.room)
	if n == 0 {
		return w.why(err)
	}
	if room := in.begin(); n <= len(room) {
		in.end(copy(room, w.room[:n]), 0, nil)
		return nil
	}
	in.end(0, 0, syscall.EAGAIN) // the arena is gone, and the client with it
	return nil
}

// why is the error of a read: what the path says ends a stream, too.
func (w *streamWire) why(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.err != nil:
		return w.err
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, net.ErrClosed):
		return err
	}
	return fmt.Errorf("the stream ended: %v", err)
}

func (w *streamWire) SyscallConn() (syscall.RawConn, error)  { return w.raw.SyscallConn() }
func (w *streamWire) SetReadDeadline(at time.Time) error     { return w.conn.SetReadDeadline(at) }
func (w *streamWire) SetWriteDeadline(time.Time) (err error) { return nil } // nobody waits in a write

// Close writes what waits, at most for lastFlush, and closes.
func (w *streamWire) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	timer := time.AfterFunc(lastFlush, func() { w.raw.Close() })
	defer timer.Stop()
	w.change.Broadcast()
	for w.writing {
		w.change.Wait()
	}
	w.mu.Unlock()
	return w.conn.Close()
}

// awaitRoom: payloads wait while the stream is full, outside of all locks but
// the turn to send.
func (c *Conn) awaitRoom() error {
	w := c.stream.Load()
	if w == nil {
		return nil
	}
	w.awaitRoom(func() bool { return c.writeDeadline.passed.Load() || c.isClosing() })
	if c.writeDeadline.passed.Load() {
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (c *Conn) isClosing() bool {
	select {
	case <-c.closing:
		return true
	default:
		return false
	}
}
