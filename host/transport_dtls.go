package host

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/pion/dtls/v3"
)

// dtlsWire is DTLS over UDP: a datagram is a record.
type dtlsWire struct {
	*dtls.Conn
	sock *net.UDPConn
	room []byte
}

func (w *dtlsWire) SyscallConn() (syscall.RawConn, error) { return w.sock.SyscallConn() }

// one sends a datagram, and once more if it met the error of an earlier one.
func (w *dtlsWire) one(b []byte) (sent bool, err error) {
	_, err = w.Write(b)
	if isPathError(err) || isTooLong(err) {
		_, err = w.Write(b)
	}
	return err == nil, w.why(err)
}

func (w *dtlsWire) ship(c cargo) (n int, err error) {
	for ; n < c.count(); n++ {
		if sent, err := w.one(c.at(n)); !sent {
			return n, err
		}
	}
	return n, nil
}

func (w *dtlsWire) receive(in intake) error {
	if w.room == nil {
		w.room = make([]byte, maxDatagram)
	}
	n, err := w.Read(w.room)
	if err != nil {
		return w.why(err)
	}
	if room := in.begin(); n <= len(room) {
		in.end(copy(room, w.room[:n]), 0, nil)
		return nil
	}
	in.end(0, 0, syscall.EAGAIN)
	return nil
}

// why turns DTLS's errors into those of sockets.
func (w *dtlsWire) why(err error) error {
	var late net.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, dtls.ErrConnClosed):
		return net.ErrClosed
	case errors.As(err, &late) && late.Timeout():
		return os.ErrDeadlineExceeded
	case errors.Is(err, io.EOF):
		return errors.New("the server has ended DTLS")
	case isPathError(err), isTooLong(err):
		return err
	}
	return fmt.Errorf("DTLS: %w", err)
}
