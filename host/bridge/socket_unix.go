//go:build unix

package bridge

import (
	"net"
	"os"
	"syscall"
)

// reader reads datagrams from a connected socket.
type reader struct{ raw syscall.RawConn }

func newReader(sock *net.UDPConn) (*reader, error) {
	raw, err := sock.SyscallConn()
	return &reader{raw}, err
}

// read waits for a datagram and hands it to use, for the time of the call.
func (r *reader) read(use func([]byte)) error {
	var buf *[maxPacket]byte
	var n int
	var err error
	if waitErr := r.raw.Read(func(fd uintptr) bool {
		buf = buffers.Get().(*[maxPacket]byte)
		for {
			n, err = syscall.Read(int(fd), buf[:])
			if err != syscall.EINTR {
				break
			}
		}
		if err == syscall.EAGAIN {
			buffers.Put(buf)
			buf = nil
			return false
		}
		return true
	}); waitErr != nil {
		return waitErr
	}
	defer buffers.Put(buf)
	if err != nil {
		return os.NewSyscallError("read", err)
	}
	use(buf[:n])
	return nil
}
