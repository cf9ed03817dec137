package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// maxDatagram is the largest UDP payload, and the most that a coalesced run of
// them has.
const maxDatagram = 65535

// The headers around a payload.
const (
	ipv4Header = 20
	ipv6Header = 40
	udpHeader  = 8
)

// transport is one flow's socket. Of UDP it is connected, so that the kernel drops what
// is not the server's and hands us its ICMP errors.
//
// Any number of goroutines may send; one may receive. What one call sends stays
// in order, and lies between the datagrams of no other call unless the socket's
// buffer is full. Neither locks anything but the socket.
type transport struct {
	flow          client.Flow
	sock          socket
	local, server netip.AddrPort
	trace         *Trace
	traced        streamTrace
	stream        *streamWire // nil: datagrams
	wire          wire
	mobile        bool // where its address is gone there is a move
	lost          atomic.Bool
}

// socket is what there is to do to one beside moving datagrams.
type socket interface {
	// SyscallConn is for socket options.
	SyscallConn() (syscall.RawConn, error)
	SetReadDeadline(at time.Time) error
	SetWriteDeadline(at time.Time) error
	Close() error
}

// wire moves datagrams between a connected socket and memory, many in one
// system call where the system can.
type wire interface {
	// one hands a datagram to the kernel, and says whether it took it; see
	// transport.send.
	one(b []byte) (sent bool, err error)
	// ship hands the cargo to the kernel and answers how many datagrams it took.
	// It may have taken all and yet answer a path error; see transport.send.
	ship(c cargo) (n int, err error)
	receive(in intake) error
}

// intake is where received datagrams go.
type intake interface {
	// begin is called right before a read that does not block, with whatever
	// lock the room needs. The room should have maxDatagram bytes: what does
	// not fit it is dropped and counted, in Stats.DatagramsCut.
	begin() []byte
	// end gives the room back: n bytes of it are filled, with one datagram, or
	// with datagrams of segment bytes each when that is not 0; the last may be
	// shorter. The error is syscall.EAGAIN when there was nothing. It answers
	// whether it would take another one, should that be there already.
	end(n, segment int, err error) (more bool)
}

// openTransport connects a socket to the server, from the local address if it
// is not zero.
func openTransport(ctx context.Context, flow client.Flow, local, server netip.AddrPort, s *settings) (*transport, error) {
	if s.via != overUDP {
		return openCarrier(ctx, flow, local, server, s)
	}
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
	s.sizeBuffers(sock)
	at := sock.LocalAddr().(*net.UDPAddr).AddrPort()
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	t := &transport{flow: flow, local: at, server: server, trace: s.Trace, mobile: s.Mobility}
	t.sock, t.wire = newWire(sock, s.cut)
	return t, nil
}

// send sends one datagram. A connected socket answers a write with the ICMP
// error of an earlier datagram and does not send: so once more. The error is
// answered all the same.
func (t *transport) send(b []byte) error {
	if t.trace != nil {
		t.traceSent(time.Now(), b)
	}
	_, err := t.wire.one(b)
	return err
}

// sendRun sends the datagrams of segment bytes that lie back to back in b; the
// last may be shorter. The bytes are read during the call alone. After an error
// that is no path error, datagrams from some point on were not sent.
func (t *transport) sendRun(b []byte, segment int) error {
	_, err := t.ship(cargo{run: b, segment: segment})
	return err
}

// sendEach sends the datagrams, and answers how many the kernel took: all, or
// those before the one that the error is about.
func (t *transport) sendEach(bs [][]byte) (n int, err error) {
	if len(bs) == 0 {
		return 0, nil
	}
	return t.ship(cargo{each: bs})
}

func (t *transport) ship(c cargo) (int, error) {
	if t.trace != nil {
		now := time.Now()
		for i := range c.count() {
			t.traceSent(now, c.at(i))
		}
	}
	return t.wire.ship(c)
}

// receive waits until there is something to read, and reads one datagram or
// one run into the room of in, or several while in asks for more. in is called
// right around each read: it has no room while nothing is there. The error is
// the socket's: closed, the deadline, or what the path said, and that may come
// after something was read.
//
// It calls in while it holds the socket, which a close waits for: whoever
// closes the socket must not hold what begin and end wait for.
func (t *transport) receive(in intake) error {
	if t.trace != nil {
		in = &tracedIntake{intake: in, t: t}
	}
	return t.wire.receive(in)
}

func (t *transport) traceSent(now time.Time, b []byte) {
	if t.stream != nil {
		t.trace.sentOn(&t.traced, now, t.local, t.server, b)
		return
	}
	t.trace.datagram(now, t.local, t.server, b)
}

func (t *transport) traceReceived(now time.Time, b []byte) {
	if t.stream != nil {
		t.trace.receivedOn(&t.traced, now, t.server, t.local, b)
		return
	}
	t.trace.datagram(now, t.server, t.local, b)
}

// tracedIntake traces what is received.
type tracedIntake struct {
	intake
	t    *transport
	room []byte
}

func (in *tracedIntake) begin() []byte {
	in.room = in.intake.begin()
	return in.room
}

func (in *tracedIntake) end(n, segment int, err error) (more bool) {
	if err == nil {
		now, c := time.Now(), cargo{run: in.room[:n], segment: segment}
		for i := range c.count() {
			in.t.traceReceived(now, c.at(i))
		}
	}
	return in.intake.end(n, segment, err)
}

// setReadDeadline ends a receive, this one and the next, with
// os.ErrDeadlineExceeded; the zero time is never.
func (t *transport) setReadDeadline(at time.Time) error { return t.sock.SetReadDeadline(at) }

// close closes the socket; see receive for when not to.
func (t *transport) close() { _ = t.sock.Close() }

// isPathError: the path said that the server cannot be reached. It is about an
// earlier datagram, whatever call the error comes from.
func isPathError(err error) bool {
	return err != nil && slices.ContainsFunc(pathErrors, func(e error) bool { return errors.Is(err, e) })
}

// pathErrors are what the kinds of ICMP's Destination Unreachable become.
// https://www.rfc-editor.org/rfc/rfc792 https://www.rfc-editor.org/rfc/rfc4443#section-3
var pathErrors = []error{
	syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENOPROTOOPT,
	syscall.EPROTO, syscall.EACCES, syscall.EOPNOTSUPP,
	enonet, wsaNetUnreach, wsaNetReset, wsaConnReset, wsaHostUnreach,
}

// Those that not every system has a name for: Linux's, and Windows' spelling.
const (
	enonet         = syscall.Errno(64)
	wsaNetUnreach  = syscall.Errno(10051)
	wsaNetReset    = syscall.Errno(10052)
	wsaConnReset   = syscall.Errno(10054)
	wsaHostUnreach = syscall.Errno(10065)
)

// earlierError is a path error that a call has met whose own datagrams were sent
// after it.
type earlierError struct{ error }

func (e *earlierError) Unwrap() error { return e.error }

// isTooLong: an earlier datagram, or this one, is longer than a link on the way
// takes. The kernel has noted that, and cuts what comes after into fragments.
func isTooLong(err error) bool {
	return errors.Is(err, syscall.EMSGSIZE) || errors.Is(err, wsaMsgSize)
}

const wsaMsgSize = syscall.Errno(10040)
