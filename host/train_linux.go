package host

import (
	"encoding/binary"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What every kernel takes in one message: newer ones take 128 segments. And the
// payload of the largest IPv4 datagram, which a run is until it is cut.
const (
	maxSegments = 64
	maxRunBytes = maxDatagram - ipv4Header - udpHeader
)

// A train takes so many messages, and so many pieces of memory. 16 full runs
// are a megabyte, more than waits in a socket's buffer.
const (
	trainMessages = 64
	trainPieces   = 256
)

// mmsghdr is the kernel's struct mmsghdr.
type mmsghdr struct {
	unix.Msghdr
	sent uint32
}

// segmentControl is a control message with a segment's size, as the kernel
// wants it: the header and the value are padded to the word.
type segmentControl struct {
	unix.Cmsghdr
	value [8]byte
}

// train is the messages of one sendmmsg, each a datagram or a run of them.
type train struct {
	messages []mmsghdr
	packets  []int // how many datagrams each message has
	pieces   []unix.Iovec
	controls []segmentControl

	call  sendmmsgFunc
	sent  int // messages that the last call took
	errno syscall.Errno
	try   func(fd uintptr) bool
}

type sendmmsgFunc func(fd uintptr, messages []mmsghdr) (int, syscall.Errno)

// trains are kept for all sockets: a train is some 10 KB, and most sockets rest.
var trains = sync.Pool{New: func() any {
	t := &train{
		messages: make([]mmsghdr, 0, trainMessages), packets: make([]int, 0, trainMessages),
		pieces: make([]unix.Iovec, 0, trainPieces), controls: make([]segmentControl, trainMessages),
	}
	t.try = t.trySend
	return t
}}

// leave gives the train back, without what it points at.
func (t *train) leave() {
	t.unload()
	t.call = nil
	trains.Put(t)
}

func (t *train) unload() {
	clear(t.messages)
	clear(t.pieces)
	t.messages, t.packets, t.pieces = t.messages[:0], t.packets[:0], t.pieces[:0]
}

// load takes datagrams of the cargo from number from on, before to, as far as
// there is room: with runs, equal ones that follow each other share a message.
func (t *train) load(c *cargo, from, to int, runs bool) {
	t.unload()
	for from < to && len(t.messages) < trainMessages && len(t.pieces) < trainPieces {
		first := len(t.pieces)
		n := t.loadMessage(c, from, to, runs)
		t.couple(t.pieces[first:], n, len(c.at(from)))
		from += n
	}
}

// loadMessage puts the pieces of one message in, and answers how many datagrams
// they are.
func (t *train) loadMessage(c *cargo, from, to int, runs bool) int {
	size := len(c.at(from))
	most := 1
	if runs && size > 0 {
		most = max(1, min(to-from, maxSegments, maxRunBytes/size))
	}
	if c.each == nil {
		t.piece(c.stretch(from, most))
		return most
	}
	n := 0
	for n < most && len(t.pieces) < trainPieces {
		b := c.each[from+n]
		if n > 0 && (len(b) > size || len(b) == 0) {
			break
		}
		if n == 0 || !t.lengthen(b) {
			t.piece(b)
		}
		n++
		if len(b) < size {
			break // a shorter one ends the run
		}
	}
	return n
}

// lengthen makes b a part of the last piece if it lies right behind it.
func (t *train) lengthen(b []byte) bool {
	last := &t.pieces[len(t.pieces)-1]
	if uintptr(unsafe.Pointer(last.Base))+uintptr(last.Len) != uintptr(unsafe.Pointer(unsafe.SliceData(b))) {
		return false
	}
	last.SetLen(int(last.Len) + len(b))
	return true
}

func (t *train) piece(b []byte) {
	t.pieces = append(t.pieces, unix.Iovec{Base: unsafe.SliceData(b)})
	t.pieces[len(t.pieces)-1].SetLen(len(b))
}

// couple makes the pieces a message of n datagrams of that size.
func (t *train) couple(pieces []unix.Iovec, n, size int) {
	i := len(t.messages)
	t.messages, t.packets = t.messages[:i+1], append(t.packets, n)
	m := &t.messages[i]
	*m = mmsghdr{Msghdr: unix.Msghdr{Iov: unsafe.SliceData(pieces)}}
	m.SetIovlen(len(pieces))
	if n == 1 {
		return
	}
	control := &t.controls[i]
	control.Level, control.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	control.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(control.value[:], uint16(size))
	m.Control = (*byte)(unsafe.Pointer(control))
	m.SetControllen(unix.CmsgSpace(2))
}

// send makes the call. Its error is that there is no socket any more; what the
// kernel says is in errno. A kernel that took some messages says why it stopped
// the next time.
func (t *train) send(raw syscall.RawConn, call sendmmsgFunc) error {
	t.call = call
	return raw.Write(t.try)
}

// trySend is called until it is true: when the socket's buffer is full it
// waits to be writable.
func (t *train) trySend(fd uintptr) bool {
	for {
		t.sent, t.errno = t.call(fd, t.messages)
		if t.errno != 0 {
			t.sent = 0
		}
		switch t.errno {
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			return true
		}
	}
}

// taken is the number of datagrams that the last call took.
func (t *train) taken() (n int) {
	for _, packets := range t.packets[:t.sent] {
		n += packets
	}
	return n
}

// runLength is how many datagrams the first message has, which is the one that
// an errno is about.
func (t *train) runLength() int { return t.packets[0] }
