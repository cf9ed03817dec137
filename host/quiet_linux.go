package host

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// quietSocket is a UDP socket of which package net's poller hears only when it
// can be read. It lies in an epoll instance of its own, which asks for arrivals
// alone, and that instance in the poller. See socketInUse for when it pays.
type quietSocket struct {
	wakes  *os.File // the epoll instance
	inside syscall.RawConn

	fd      int
	use     sync.RWMutex // held for reading while fd is written to
	closing atomic.Bool
	writeBy atomic.Int64 // ns since 1970; 0 is never

	reading func(fd uintptr) bool // of the one that reads
	tryRead func(uintptr) bool
}

// quieten makes a quiet one of the same socket. As soon as the old one is closed
// the poller forgets it.
func quieten(sock *net.UDPConn) (*quietSocket, error) {
	q := &quietSocket{fd: -1}
	if err := q.take(sock); err != nil {
		if q.fd >= 0 {
			_ = unix.Close(q.fd)
		}
		return nil, err
	}
	return q, nil
}

func (q *quietSocket) take(sock *net.UDPConn) error {
	raw, err := sock.SyscallConn()
	if err != nil {
		return err
	}
	if e := raw.Control(func(fd uintptr) { q.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }); e != nil || err != nil {
		q.fd = -1
		return net.ErrClosed
	}
	instance, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	arrivals := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(q.fd)}
	if err = unix.EpollCtl(instance, unix.EPOLL_CTL_ADD, q.fd, &arrivals); err == nil {
		err = unix.SetNonblock(instance, true)
	}
	if err != nil {
		_ = unix.Close(instance)
		return err
	}
	q.wakes = os.NewFile(uintptr(instance), "turn socket")
	q.tryRead = func(uintptr) bool { return q.reading(uintptr(q.fd)) }
	if q.inside, err = q.wakes.SyscallConn(); err == nil {
		err = q.wakes.SetReadDeadline(time.Time{}) // the poller has it, or this fails
	}
	if err != nil {
		_ = q.wakes.Close()
	}
	return err
}

// SetReadDeadline ends a Read that waits, too.
func (q *quietSocket) SetReadDeadline(at time.Time) error { return q.wakes.SetReadDeadline(at) }

// SetWriteDeadline ends a Write that waits, too.
func (q *quietSocket) SetWriteDeadline(at time.Time) error {
	by := int64(0)
	if !at.IsZero() {
		by = max(1, at.UnixNano())
	}
	q.writeBy.Store(by)
	return nil
}

// Close waits for the calls of Read, Write and Control that are under way.
func (q *quietSocket) Close() error {
	if q.closing.Swap(true) {
		return net.ErrClosed
	}
	err := q.wakes.Close()
	q.use.Lock()
	defer q.use.Unlock()
	if e := unix.Close(q.fd); err == nil {
		err = e
	}
	return err
}

// Read calls f until it is true; when it is false it waits for an arrival.
// There is one reader at a time.
func (q *quietSocket) Read(f func(fd uintptr) bool) error {
	q.reading = f
	err := q.inside.Read(q.tryRead)
	if err != nil && q.closing.Load() {
		return net.ErrClosed
	}
	return err
}

// full is the pause after which a socket is tried again whose buffer was full:
// much less than it takes to send what is in it.
const full = 200 * time.Microsecond

// Write calls f until it is true; when it is false the socket's buffer is full.
func (q *quietSocket) Write(f func(fd uintptr) bool) error {
	for {
		sent := false
		if err := q.with(func() { sent = f(uintptr(q.fd)) }); err != nil || sent {
			return err
		}
		time.Sleep(full)
	}
}

// Control calls f.
func (q *quietSocket) Control(f func(fd uintptr)) error {
	return q.with(func() { f(uintptr(q.fd)) })
}

// with keeps the socket open meanwhile.
func (q *quietSocket) with(f func()) error {
	q.use.RLock()
	defer q.use.RUnlock()
	by := q.writeBy.Load()
	switch {
	case q.closing.Load():
		return net.ErrClosed
	case by != 0 && time.Now().UnixNano() >= by:
		return os.ErrDeadlineExceeded
	}
	f()
	return nil
}
