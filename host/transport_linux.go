package host

import (
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// offloadWire has the kernel cut runs into datagrams (UDP_SEGMENT) and hand
// over what came in as runs (UDP_GRO), and takes many messages in one call
// (sendmmsg). It is never told that something is missing: it finds out.
type offloadWire struct {
	raw  syscall.RawConn
	six  bool        // the path is IPv6
	runs atomic.Bool // UDP_SEGMENT works, as far as is known
	in   receiver

	sendmmsg sendmmsgFunc // the system call, or a test's
}

// newWire takes what the kernel has. A kernel from before UDP_SEGMENT does not
// refuse it with a message, it would send a run as one datagram: so it is asked
// before. One that keeps its sockets from us is left to package net.
func newWire(sock *net.UDPConn, cut *atomic.Uint64) (socket, wire) {
	local := sock.LocalAddr().(*net.UDPAddr)
	raw, err := newSocketInUse(sock)
	if err != nil {
		return sock, &plainWire{sock: sock, cut: cut}
	}
	w := &offloadWire{raw: raw, six: local.IP.To4() == nil, sendmmsg: sendmmsg}
	w.in.bind(raw, cut)
	_ = raw.Control(func(fd uintptr) {
		_, err := unix.GetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT)
		w.runs.Store(err == nil)
		// Without UDP_GRO the datagrams come one by one.
		_ = unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_GRO, 1)
	})
	return raw, w
}

func (w *offloadWire) one(b []byte) (sent bool, err error) {
	l := letters.Get().(*letter)
	defer l.leave()
	l.b = b
	for range 2 {
		if e := w.raw.Write(l.try); e != nil {
			return false, e
		}
		if l.errno == 0 {
			break
		}
		err = os.NewSyscallError("write", l.errno)
		if !worthAnother(l.errno) {
			return false, err
		}
	}
	switch {
	case l.errno != 0:
		return false, err
	case isPathError(err):
		return true, &earlierError{err}
	}
	return true, nil
}

func (w *offloadWire) receive(in intake) error { return w.in.receive(in) }

// ship sends train after train. What the kernel refuses as a run goes again
// one by one, from the first datagram that was not taken, so nothing is lost
// and nothing sent twice.
func (w *offloadWire) ship(c cargo) (n int, err error) {
	t := trains.Get().(*train)
	defer t.leave()
	count, alone, again := c.count(), 0, -1 // those before alone go one by one
	for n < count {
		if n < alone {
			t.load(&c, n, alone, false)
		} else {
			t.load(&c, n, count, w.runs.Load())
		}
		if e := t.send(w.raw, w.sendmmsg); e != nil {
			return n, e // the socket is closed
		}
		n += t.taken()
		switch first := t.runLength(); {
		case t.errno == 0:
		case first > 1 && refusesRuns(t.errno):
			w.blame(t.errno, len(c.at(n)))
			alone = n + first
		case again != n && worthAnother(t.errno):
			again = n
			if isPathError(t.errno) && err == nil {
				err = &earlierError{os.NewSyscallError("sendmmsg", t.errno)}
			}
		default:
			return n, os.NewSyscallError("sendmmsg", t.errno)
		}
	}
	return n, err
}

// refusesRuns: the same bytes may well go one by one. EIO is a device's answer
// that cannot compute checksums; EINVAL and EMSGSIZE are for segments longer
// than the path's MTU, or any.
func refusesRuns(errno syscall.Errno) bool {
	switch errno {
	case unix.EIO, unix.EINVAL, unix.EMSGSIZE, unix.ENOPROTOOPT, unix.EOPNOTSUPP:
		return true
	}
	return false
}

// worthAnother: a path error is about an earlier datagram, and EMSGSIZE may be.
// ENOBUFS says that memory was short that moment; nothing would wake who waits
// for it to pass, so one more attempt it is.
func worthAnother(errno syscall.Errno) bool {
	return isPathError(errno) || isTooLong(errno) || errno == unix.ENOBUFS
}

// blame remembers that runs are of no use, unless it is the segment that is
// longer than the path takes.
func (w *offloadWire) blame(errno syscall.Errno, segment int) {
	if errno == unix.EMSGSIZE || errno == unix.EINVAL && segment > w.pathRoom() {
		return
	}
	w.runs.Store(false)
}

// pathRoom is the largest payload that fits the path unfragmented, as far as
// the kernel knows.
func (w *offloadWire) pathRoom() int {
	level, option, headers := unix.IPPROTO_IP, unix.IP_MTU, ipv4Header+udpHeader
	if w.six {
		level, option, headers = unix.IPPROTO_IPV6, unix.IPV6_MTU, ipv6Header+udpHeader
	}
	mtu := maxDatagram
	_ = w.raw.Control(func(fd uintptr) {
		if n, err := unix.GetsockoptInt(int(fd), level, option); err == nil {
			mtu = n
		}
	})
	return mtu - headers
}
