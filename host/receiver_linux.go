package host

import (
	"encoding/binary"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// receiver is a socket's recvmsg: its header and its closure are made once.
type receiver struct {
	raw     syscall.RawConn
	cut     *atomic.Uint64
	message unix.Msghdr
	piece   unix.Iovec
	control groControl
	poll    busyPoll
	try     func(fd uintptr) bool

	into intake // of the receive under way
	err  error  // of its last read
}

// groControl has room for the control message with a segment's size.
type groControl struct {
	unix.Cmsghdr
	value [8]byte
}

func (r *receiver) bind(raw syscall.RawConn, cut *atomic.Uint64) {
	r.raw, r.cut, r.try = raw, cut, r.tryReceive
	r.message.Iov = &r.piece
	r.message.SetIovlen(1)
	r.message.Control = (*byte)(unsafe.Pointer(&r.control))
}

func (r *receiver) receive(in intake) error {
	r.into, r.err = in, nil
	err := r.raw.Read(r.try)
	r.into = nil
	if err == nil && r.err != nil {
		return os.NewSyscallError("recvmsg", r.err)
	}
	return err
}

// tryReceive is called until it is true: when there is nothing, it sleeps until
// there is something.
func (r *receiver) tryReceive(fd uintptr) bool {
	done := r.take(fd)
	for !done && r.poll.awaits(fd) {
		done = r.take(fd)
	}
	return done
}

// take reads what is there, and is false for nothing. It tells the intake of
// each read, and goes on at once after one that brought nothing to hand on:
// what follows may be here already.
func (r *receiver) take(fd uintptr) bool {
	for some := false; ; {
		n, segment, errno := r.read(fd, r.into.begin())
		cut := errno == 0 && r.message.Flags&unix.MSG_TRUNC != 0
		switch {
		case cut:
			r.cut.Add(1)
			r.into.end(0, 0, unix.EAGAIN)
		case errno == 0:
			if some = true; !r.into.end(n, segment, nil) {
				return true
			}
		case errno == unix.EINTR:
			r.into.end(0, 0, unix.EAGAIN)
		case errno == unix.EAGAIN:
			r.into.end(0, 0, unix.EAGAIN)
			return some
		default:
			r.err = errno
			r.into.end(0, 0, errno)
			return true
		}
	}
}

// read reads one datagram or one run.
func (r *receiver) read(fd uintptr, room []byte) (n, segment int, errno syscall.Errno) {
	r.piece.Base = unsafe.SliceData(room)
	r.piece.SetLen(len(room))
	r.message.Flags = 0
	r.message.SetControllen(int(unsafe.Sizeof(r.control)))
	got, errno := recvmsg(fd, &r.message)
	if errno != 0 {
		return 0, 0, errno
	}
	return got, r.segment(got), 0
}

// segment is the size of the run's datagrams, 0 when there is one.
func (r *receiver) segment(n int) int {
	c := &r.control
	if int(r.message.Controllen) < unix.CmsgLen(4) || c.Level != unix.SOL_UDP || c.Type != unix.UDP_GRO {
		return 0
	}
	if size := int(binary.NativeEndian.Uint32(c.value[:])); size < n {
		return size
	}
	return 0
}
