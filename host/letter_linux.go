package host

import (
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// letter is the write of one datagram: its closure is made once.
type letter struct {
	b     []byte
	errno syscall.Errno
	try   func(fd uintptr) bool
}

var letters = sync.Pool{New: func() any {
	l := &letter{}
	l.try = l.tryWrite
	return l
}}

// leave gives the letter back, without what it points at.
func (l *letter) leave() {
	l.b = nil
	letters.Put(l)
}

// tryWrite is called until it is true: when the socket's buffer is full it
// waits.
func (l *letter) tryWrite(fd uintptr) bool {
	for {
		l.errno = sendto(fd, l.b)
		switch l.errno {
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			return true
		}
	}
}
