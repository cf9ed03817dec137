package host

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// socketInUse is a socket that becomes a quietSocket when it sends a lot and
// hears little.
//
// Package net's poller asks of every socket when it can be written to, and of a
// UDP socket that is news after each datagram that has left: a thread is woken
// for each system call that sends, which costs a third of the call. A
// quietSocket is not, but a reader of it is woken a little later: what is sent
// to be answered is better off without.
type socketInUse struct {
	now  atomic.Pointer[rawSocket]
	loud atomic.Int32 // sends that had no answer, at most tooLoud

	mu      sync.Mutex // what follows, and changes of now
	readBy  time.Time
	writeBy time.Time
	closed  bool
}

// An arrival makes up for some sends; so many that nothing made up for are too
// many.
const (
	madeUp  = 8
	tooLoud = 64
)

// rawSocket is either state.
type rawSocket interface {
	syscall.RawConn
	SetReadDeadline(at time.Time) error
	SetWriteDeadline(at time.Time) error
	Close() error
}

// pollerSocket is a socket as package net has it.
type pollerSocket struct {
	syscall.RawConn
	sock *net.UDPConn
}

func (s *pollerSocket) SetReadDeadline(at time.Time) error  { return s.sock.SetReadDeadline(at) }
func (s *pollerSocket) SetWriteDeadline(at time.Time) error { return s.sock.SetWriteDeadline(at) }
func (s *pollerSocket) Close() error                        { return s.sock.Close() }

func newSocketInUse(sock *net.UDPConn) (*socketInUse, error) {
	raw, err := sock.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &socketInUse{}
	s.become(&pollerSocket{raw, sock})
	return s, nil
}

func (s *socketInUse) become(r rawSocket) { s.now.Store(&r) }

// through calls f with what the socket is now, and again if it has become
// another meanwhile.
func (s *socketInUse) through(f func(r rawSocket) error) error {
	for {
		r := s.now.Load()
		err := f(*r)
		if err == nil || !errors.Is(err, net.ErrClosed) || s.now.Load() == r {
			return err
		}
	}
}

// SyscallConn is the socket itself.
func (s *socketInUse) SyscallConn() (syscall.RawConn, error) { return s, nil }

// Control calls f.
func (s *socketInUse) Control(f func(fd uintptr)) error {
	return s.through(func(r rawSocket) error { return r.Control(f) })
}

// Read calls f until it is true; when it is false it waits for an arrival.
// There is one reader at a time.
func (s *socketInUse) Read(f func(fd uintptr) bool) error {
	err := s.through(func(r rawSocket) error { return r.Read(f) })
	if loud := s.loud.Load(); loud > 0 {
		s.loud.Store(max(0, loud-madeUp))
	}
	return err
}

// Write calls f until it is true; when it is false it waits for room.
func (s *socketInUse) Write(f func(fd uintptr) bool) error {
	err := s.through(func(r rawSocket) error { return r.Write(f) })
	if loud := s.loud.Load(); loud >= 0 {
		if s.loud.Store(loud + 1); loud+1 >= tooLoud {
			s.quieten()
		}
	}
	return err
}

// quieten is done once. A reader that waits goes on with the other socket.
func (s *socketInUse) quieten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loud.Store(-1) // no more is counted
	before, is := (*s.now.Load()).(*pollerSocket)
	if !is || s.closed {
		return
	}
	q, err := quieten(before.sock)
	if err != nil {
		return // no descriptors, say: it goes on as it is
	}
	_ = q.SetReadDeadline(s.readBy)
	_ = q.SetWriteDeadline(s.writeBy)
	s.become(q)
	_ = before.Close()
}

// SetReadDeadline ends a Read that waits, too.
func (s *socketInUse) SetReadDeadline(at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readBy = at
	return (*s.now.Load()).SetReadDeadline(at)
}

// SetWriteDeadline ends a Write that waits, too.
func (s *socketInUse) SetWriteDeadline(at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeBy = at
	return (*s.now.Load()).SetWriteDeadline(at)
}

// Close waits for the calls of Read, Write and Control that are under way.
func (s *socketInUse) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return (*s.now.Load()).Close()
}
