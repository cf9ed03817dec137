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

// quietSocket is a UDP socket that does not tell Go's poller that it can be
// written to. Package net asks the kernel to be told of that, and a datagram
// that has left is such news: each sendmmsg then wakes a thread that finds
// nothing to do, which costs as much as the call itself.
//
// So the socket is in an epoll of its own, which asks for what comes in alone,
// and that one is in Go's poller: an epoll is readable when what is in it is.
type quietSocket struct {
	fd    int
	local net.Addr
	epoll *os.File
	ready syscall.RawConn // the epoll's
	over  atomic.Bool

	// One at a time reads. The functions are kept: to make one costs memory.
	reading func(fd uintptr) bool
	try     func(fd uintptr) bool
	plain   func(fd uintptr) bool
	room    []byte
	got     int
	readErr error

	mu      sync.Mutex // held while the socket is written to
	closed  bool       // fd is another's
	writeBy time.Time  // zero: never
}

// quiet takes the socket out of Go's poller. Where that cannot be had it stays
// as it is.
func quiet(sock *net.UDPConn) socket {
	s, err := newQuietSocket(sock)
	if err != nil {
		return sock
	}
	_ = sock.Close() // ours is another descriptor of the same socket
	return s
}

func newQuietSocket(sock *net.UDPConn) (*quietSocket, error) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &quietSocket{fd: -1, local: sock.LocalAddr()}
	s.try = func(uintptr) bool { return s.reading(uintptr(s.fd)) }
	s.plain = func(fd uintptr) bool {
		s.got, s.readErr = unix.Read(int(fd), s.room)
		return s.readErr != unix.EAGAIN && s.readErr != unix.EINTR
	}
	if e := raw.Control(func(fd uintptr) { err = s.open(int(fd)) }); e != nil || err != nil {
		return nil, joinErrors(e, err)
	}
	if s.ready, err = s.epoll.SyscallConn(); err == nil {
		err = s.epoll.SetReadDeadline(time.Time{}) // Go's poller has not taken it otherwise
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// open makes the descriptors, or none.
func (s *quietSocket) open(fd int) (err error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	if s.fd, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err == nil {
		event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(s.fd)}
		if err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, s.fd, &event); err == nil {
			err = unix.SetNonblock(epoll, true) // which says that it may be polled
		}
		if err != nil {
			_ = unix.Close(s.fd)
		}
	}
	if err != nil {
		_ = unix.Close(epoll)
		return err
	}
	s.epoll = os.NewFile(uintptr(epoll), "epoll")
	return nil
}

func joinErrors(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// LocalAddr is the socket's own address.
func (s *quietSocket) LocalAddr() net.Addr { return s.local }

// SyscallConn is for those who make system calls of their own.
func (s *quietSocket) SyscallConn() (syscall.RawConn, error) { return quietConn{s}, nil }

// SetReadDeadline ends a read that waits.
func (s *quietSocket) SetReadDeadline(at time.Time) error { return s.epoll.SetReadDeadline(at) }

// SetWriteDeadline ends a write that waits.
func (s *quietSocket) SetWriteDeadline(at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeBy = at
	return nil
}

// Close ends what waits.
func (s *quietSocket) Close() error {
	s.over.Store(true)
	err := s.epoll.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.closed = true
	return joinErrors(err, unix.Close(s.fd))
}

// Read reads one datagram.
func (s *quietSocket) Read(b []byte) (int, error) {
	s.room = b
	err := quietConn{s}.Read(s.plain)
	s.room = nil
	switch {
	case err != nil:
		return 0, err
	case s.readErr != nil:
		return 0, os.NewSyscallError("read", s.readErr)
	}
	return s.got, nil
}

// Write writes one datagram.
func (s *quietSocket) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.over.Load() {
			return 0, net.ErrClosed
		}
		n, err := unix.Write(s.fd, b)
		switch err {
		case nil:
			return n, nil
		case unix.EINTR:
		case unix.EAGAIN:
			if err := s.awaitRoom(); err != nil {
				return 0, err
			}
		default:
			return 0, os.NewSyscallError("write", err)
		}
	}
}

// slice is how long a write that waits does not look whether it still should.
const slice = 10 * time.Millisecond

// awaitRoom waits for room in the socket's buffer, which is seldom full: a
// thread does for that, and gives way to those who close or set the deadline.
func (s *quietSocket) awaitRoom() error {
	if !s.writeBy.IsZero() && !time.Now().Before(s.writeBy) {
		return os.ErrDeadlineExceeded
	}
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}
	_, err := unix.Poll(fds, int(slice/time.Millisecond))
	s.mu.Unlock()
	s.mu.Lock()
	if err == unix.EINTR {
		return nil
	}
	return err
}

// quietConn is the socket as a syscall.RawConn.
type quietConn struct{ s *quietSocket }

func (c quietConn) Control(f func(fd uintptr)) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.over.Load() {
		return net.ErrClosed
	}
	f(uintptr(c.s.fd))
	return nil
}

func (c quietConn) Read(f func(fd uintptr) bool) error {
	c.s.reading = f
	err := c.s.ready.Read(c.s.try)
	if err != nil && c.s.over.Load() {
		return net.ErrClosed
	}
	return err
}

func (c quietConn) Write(f func(fd uintptr) bool) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for {
		if c.s.over.Load() {
			return net.ErrClosed
		}
		if f(uintptr(c.s.fd)) {
			return nil
		}
		if err := c.s.awaitRoom(); err != nil {
			return err
		}
	}
}
