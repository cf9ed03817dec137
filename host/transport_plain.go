package host

import (
	"net"
	"sync/atomic"
	"syscall"
)

// plainWire takes one system call for each datagram: what works everywhere.
type plainWire struct {
	sock *net.UDPConn
	cut  *atomic.Uint64
	room []byte // nil before the first receive
}

func (w *plainWire) one(b []byte) (sent bool, err error) {
	_, err = w.sock.Write(b)
	if !isPathError(err) && !isTooLong(err) {
		return err == nil, err
	}
	if _, again := w.sock.Write(b); again != nil {
		return false, again
	}
	if isTooLong(err) {
		return true, nil
	}
	return true, &earlierError{err}
}

func (w *plainWire) ship(c cargo) (n int, err error) {
	for ; n < c.count(); n++ {
		sent, e := w.one(c.at(n))
		if !sent {
			return n, e
		}
		if err == nil {
			err = e
		}
	}
	return n, err
}

// receive reads into memory of its own: the intake's lock must not be held
// while the read waits.
func (w *plainWire) receive(in intake) error {
	if w.room == nil {
		w.room = make([]byte, maxDatagram)
	}
	for {
		n, err := w.sock.Read(w.room)
		if err != nil {
			return err
		}
		if room := in.begin(); n <= len(room) {
			in.end(copy(room, w.room[:n]), 0, nil)
			return nil
		}
		in.end(0, 0, syscall.EAGAIN)
		w.cut.Add(1)
	}
}
