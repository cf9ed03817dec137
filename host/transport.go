package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// maxDatagram is the largest UDP payload.
const maxDatagram = 65535

// transport is one flow's socket: UDP, connected, so that the kernel drops what
// is not the server's and hands us its ICMP errors. What sends and receives in
// batches will stand here.
type transport struct {
	flow          client.Flow
	sock          *net.UDPConn
	local, server netip.AddrPort
	trace         *Trace
}

// openTransport connects a socket to the server, from the local address if it
// is not zero.
func openTransport(ctx context.Context, flow client.Flow, local, server netip.AddrPort, trace *Trace) (*transport, error) {
	var d net.Dialer
	if local.Addr().IsValid() {
		d.LocalAddr = net.UDPAddrFromAddrPort(local)
	} else if local.Port() != 0 {
		d.LocalAddr = &net.UDPAddr{Port: int(local.Port())}
	}
	conn, err := d.DialContext(ctx, "udp", server.String())
	if err != nil {
		return nil, err
	}
	sock, ok := conn.(*net.UDPConn)
	if !ok {
		conn.Close()
		return nil, fmt.Errorf("a UDP socket is a %T", conn)
	}
	at := sock.LocalAddr().(*net.UDPAddr).AddrPort()
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	return &transport{flow: flow, sock: sock, local: at, server: server, trace: trace}, nil
}

// send sends one datagram. A connected socket answers a write with the ICMP
// error of an earlier datagram and does not send: so once more.
func (t *transport) send(b []byte) error {
	t.trace.datagram(time.Now(), t.local, t.server, b)
	_, err := t.sock.Write(b)
	if isPathError(err) {
		if _, again := t.sock.Write(b); again != nil {
			return again
		}
	}
	return err
}

func (t *transport) receive(b []byte) (int, error) {
	n, err := t.sock.Read(b)
	if err == nil {
		t.trace.datagram(time.Now(), t.server, t.local, b[:n])
	}
	return n, err
}

func (t *transport) close() { _ = t.sock.Close() }

// wsaConnReset is how Windows reports a port unreachable.
const wsaConnReset = syscall.Errno(10054)

// isPathError: the path said that the server cannot be reached.
func isPathError(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EHOSTUNREACH) ||
		errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, wsaConnReset)
}
