//go:build !unix

package bridge

import "net"

// reader reads datagrams from a connected socket.
type reader struct{ sock *net.UDPConn }

func newReader(sock *net.UDPConn) (*reader, error) { return &reader{sock}, nil }

// read waits for a datagram and hands it to use, for the time of the call.
func (r *reader) read(use func([]byte)) error {
	buf := buffers.Get().(*[maxPacket]byte)
	defer buffers.Put(buf)
	n, err := r.sock.Read(buf[:])
	if err != nil {
		return err
	}
	use(buf[:n])
	return nil
}
