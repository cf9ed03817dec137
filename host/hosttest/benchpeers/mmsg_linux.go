package main

import (
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is what sendmmsg and recvmmsg take.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// mmsgs is an array of messages for one call, each with a buffer of its own and
// room for one control message: the segment size of UDP_SEGMENT or UDP_GRO.
type mmsgs struct {
	hdrs []mmsghdr
	iovs []unix.Iovec
	ctls [][32]byte
	from []unix.RawSockaddrInet4
}

func newMmsgs(n int) *mmsgs {
	return &mmsgs{
		hdrs: make([]mmsghdr, n), iovs: make([]unix.Iovec, n),
		ctls: make([][32]byte, n), from: make([]unix.RawSockaddrInet4, n),
	}
}

// room makes the i-th message one to be received into b.
func (m *mmsgs) room(i int, b []byte) {
	h := &m.hdrs[i].hdr
	m.iovs[i].Base = &b[0]
	m.iovs[i].SetLen(len(b))
	h.Iov = &m.iovs[i]
	h.SetIovlen(1)
	h.Control = &m.ctls[i][0]
	h.SetControllen(len(m.ctls[i]))
	h.Name = (*byte)(unsafe.Pointer(&m.from[i]))
	h.Namelen = unix.SizeofSockaddrInet4
}

// put makes the i-th message one to be sent: a datagram, or a run of them.
func (m *mmsgs) put(i int, b []byte, segment int) {
	m.room(i, b)
	h := &m.hdrs[i].hdr
	h.Name, h.Namelen = nil, 0
	if segment == 0 || segment >= len(b) {
		h.Control = nil
		h.SetControllen(0)
		return
	}
	c := (*unix.Cmsghdr)(unsafe.Pointer(h.Control))
	c.Level, c.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
	c.SetLen(unix.CmsgLen(2))
	*(*uint16)(unsafe.Pointer(&m.ctls[i][unix.CmsgLen(0)])) = uint16(segment)
	h.SetControllen(unix.CmsgSpace(2))
}

// receive fills messages, at least one unless flags say MSG_DONTWAIT.
func (m *mmsgs) receive(fd, flags int) (int, error) {
	for i := range m.hdrs { // the last call changed them
		m.hdrs[i].hdr.SetControllen(len(m.ctls[i]))
		m.hdrs[i].hdr.Namelen = unix.SizeofSockaddrInet4
	}
	return m.call(unix.SYS_RECVMMSG, fd, len(m.hdrs), flags)
}

// send sends the first n messages.
func (m *mmsgs) send(fd, n int) error {
	sent, err := m.call(unix.SYS_SENDMMSG, fd, n, 0)
	if err == nil && sent != n {
		err = fmt.Errorf("%d of %d messages sent", sent, n)
	}
	return err
}

func (m *mmsgs) call(trap uintptr, fd, n, flags int) (int, error) {
	for {
		r, _, e := unix.Syscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(&m.hdrs[0])), uintptr(n), uintptr(flags), 0, 0)
		if e == 0 {
			return int(r), nil
		}
		if e != unix.EINTR {
			return 0, e
		}
	}
}

// length is how many bytes came in the i-th message.
func (m *mmsgs) length(i int) int { return int(m.hdrs[i].n) }

// segment is the size of the i-th message's segments, 0 for a single datagram.
func (m *mmsgs) segment(i int) int {
	h := &m.hdrs[i].hdr
	if int(h.Controllen) < unix.CmsgLen(4) {
		return 0
	}
	c := (*unix.Cmsghdr)(unsafe.Pointer(&m.ctls[i][0]))
	if c.Level != unix.IPPROTO_UDP || c.Type != unix.UDP_GRO {
		return 0
	}
	return int(*(*int32)(unsafe.Pointer(&m.ctls[i][unix.CmsgLen(0)])))
}

// source is where the i-th message came from.
func (m *mmsgs) source(i int) netip.AddrPort {
	a := &m.from[i]
	port := (*[2]byte)(unsafe.Pointer(&a.Port))
	return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(port[0])<<8|uint16(port[1]))
}
