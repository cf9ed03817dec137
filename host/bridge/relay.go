package bridge

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"

	"github.com/quic-go/quic-go"
)

// carryDatagrams carries the page's datagrams to the server.
func (s *session) carryDatagrams() {
	for {
		b, err := s.wt.ReceiveDatagram(s.ctx)
		if err != nil {
			return
		}
		s.toServer(b, false)
	}
}

// servePackets is the packet stream, both ways.
func (s *session) servePackets() {
	var buf []byte
	s.serveStream(streamPackets, s.packets, func(r io.Reader) (err error) {
		if buf, err = readPacket(r, buf); err == nil {
			s.toServer(buf, true)
		}
		return err
	})
}

// serveStream opens a stream and serves it until the session is over.
func (s *session) serveStream(name byte, out *outbox, readOne func(io.Reader) error) {
	stream, err := s.wt.OpenStreamSync(s.ctx)
	if err == nil {
		_, err = stream.Write([]byte{name})
	}
	var writer sync.WaitGroup
	defer writer.Wait()
	writer.Go(func() { out.run(stream) })
	for err == nil {
		err = readOne(stream)
	}
	if errors.Is(err, errTooLarge) {
		s.fail(CodeTooLarge, "a control frame is at most %d bytes", maxControl)
		return
	}
	s.fail(0, "a stream was closed") // if the session was not
}

// toServer sends one packet of the page's.
func (s *session) toServer(packet []byte, streamed bool) {
	switch {
	case !s.up.take(len(packet)):
		s.upWay.drop("rate")
		if s.up.flooded() {
			s.fail(CodeFlood, "more than %d packets or %d bytes a second, again and again",
				s.bridge.limits.PacketsPerSecond, s.bridge.limits.BytesPerSecond)
		}
	case !isTURN(packet):
		s.upWay.drop("not_turn")
	case s.send(packet) != nil:
		s.upWay.drop("socket")
	default:
		s.seen()
		s.upWay.carried(len(packet), streamed)
	}
}

// send: a connected socket answers a write with the ICMP error of an earlier
// datagram and does not send: so once more.
func (s *session) send(packet []byte) error {
	_, err := s.sock.Write(packet)
	if isPathError(err) {
		s.pathError()
		_, err = s.sock.Write(packet)
	}
	return err
}

// carryFromServer carries the server's datagrams to the page.
func (s *session) carryFromServer() {
	sock, err := newReader(s.sock)
	for err == nil || isPathError(err) {
		if err != nil {
			s.pathError()
		}
		err = sock.read(s.toPage)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		s.log.Warn("the socket fails", "error", err)
		s.fail(CodeSocket, "the socket to the TURN server failed")
	}
}

// toPage sends one packet of the server's, as a datagram if it fits into one.
func (s *session) toPage(packet []byte) {
	if !s.down.take(len(packet)) {
		s.downWay.drop("rate")
		return
	}
	err := s.wt.SendDatagram(packet)
	var tooLarge *quic.DatagramTooLargeError
	switch {
	case err == nil:
		s.downWay.carried(len(packet), false)
	case !errors.As(err, &tooLarge):
		s.downWay.drop("session")
	case s.packets.offer(packetFrame(packet)):
		s.downWay.carried(len(packet), true)
	default:
		s.downWay.drop("stream_full")
	}
}

// pathError tells the page, unless it does not listen.
func (s *session) pathError() { s.control.offer(controlFrame(framePathError, nil)) }
