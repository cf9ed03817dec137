package host

import (
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// busyPoll looks for an arrival for a moment before its reader goes to sleep.
// To sleep and be woken costs about worthASleep of CPU, and the answer to what
// was just sent comes later by as much: one that comes within that time is
// cheaper looked for than slept for. So a wait costs twice at the worst, and a
// reader that looks in vain does it less and less often.
type busyPoll struct {
	rest  int // waits that go to sleep at once
	pause int // what rest becomes when the next look is in vain
}

const (
	worthASleep = 25 * time.Microsecond
	longestRest = 1023
)

// looking: of all the readers of a process one does it at a time.
var looking atomic.Bool

// With one processor, who looks is in the way of what it looks for.
var canLook = runtime.NumCPU() > 1

// awaits answers whether something has come.
func (p *busyPoll) awaits(fd uintptr) (come bool) {
	if p.rest > 0 {
		p.rest--
		return false
	}
	if !canLook || !looking.CompareAndSwap(false, true) {
		return false
	}
	defer looking.Store(false)
	for begun := time.Now(); !come && time.Since(begun) < worthASleep; {
		come = readable(fd)
	}
	p.learn(come)
	return come
}

func (p *busyPoll) learn(come bool) {
	if come {
		p.pause = 0
		return
	}
	p.pause = min(2*p.pause+1, longestRest)
	p.rest = p.pause
}

// readable says whether a receive has something to tell, and leaves it there:
// to peek would take an error away.
func readable(fd uintptr) bool {
	of := unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	var now unix.Timespec
	n, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&of)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return errno == 0 && n > 0
}
