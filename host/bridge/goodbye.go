package bridge

import (
	"encoding/binary"
	"net/http"
	"time"

	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"
)

// connectStream catches the CONNECT's stream on its way to the WebTransport
// session, for our own goodbye. webtransport-go's (v0.13) asks the peer to stop
// sending in the packet in which it says why, and Chromium, which reads that
// first, tells the page "Connection lost" instead of the code and the reason.
type connectStream struct {
	responseWriter
	stream *http3.Stream
}

// responseWriter is what http3 gives to a handler.
type responseWriter interface {
	http.ResponseWriter
	http.Flusher
	http3.Settingser
	http3.HTTPStreamer
}

func (c *connectStream) HTTPStream() *http3.Stream {
	c.stream = c.responseWriter.HTTPStream()
	return c.stream
}

// "an application error code (32-bit unsigned integer) ... a UTF-8 encoded
// error message string with a length of up to 1024 bytes"
// https://www.ietf.org/archive/id/draft-ietf-webtrans-http3-15.html#section-6
const closeSession = 0x2843 // WT_CLOSE_SESSION

// end sends the code and the reason, and nothing more.
func (c *connectStream) end(code Code, reason string) {
	value := binary.BigEndian.AppendUint32(nil, uint32(code))
	value = append(value, reason...)
	capsule := quicvarint.Append(nil, closeSession)
	capsule = quicvarint.Append(capsule, uint64(len(value)))
	_ = c.stream.SetWriteDeadline(time.Now().Add(farewell))
	_, _ = c.stream.Write(append(capsule, value...))
	_ = c.stream.Close()
}
