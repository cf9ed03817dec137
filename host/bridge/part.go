package bridge

import (
	"errors"
	"os"
	"time"

	"github.com/pion/stun/v3"
)

// partingWaits are the waits for an answer after each send of a parting. The
// server is near, as seen from the bridge.
var partingWaits = []time.Duration{
	250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second,
}

// part ships the newest deposit and waits for the server's answer. The answer
// is not verified, for the key is the page's; the socket is connected, and 96
// bits of transaction ID are not to be guessed.
func (s *session) part() {
	p := s.deposit.take()
	if p == nil {
		return
	}
	result := "expired"
	if time.Now().Before(p.until) {
		result = s.ship(p)
	}
	s.bridge.meters.partings.WithLabelValues(result).Inc()
	s.log.Info("parting shipped", "result", result)
}

func (s *session) ship(p *parting) (result string) {
	for _, wait := range partingWaits {
		_ = s.send(p.data) // a send that fails is a send that is lost
		if result := s.awaitAnswer(p, time.Now().Add(wait)); result != "" {
			return result
		}
	}
	return "unanswered"
}

// awaitAnswer is "" when there is none in time.
func (s *session) awaitAnswer(p *parting, until time.Time) string {
	if s.sock.SetReadDeadline(until) != nil {
		return ""
	}
	buf := make([]byte, 2048)
	for {
		n, err := s.sock.Read(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return ""
		case isPathError(err):
			continue // the server may be back in a moment
		case err != nil:
			return ""
		}
		if result := p.answeredBy(buf[:n]); result != "" {
			return result
		}
	}
}

// answeredBy says what a datagram means for the parting; "" = nothing.
func (p *parting) answeredBy(data []byte) string {
	m := stun.New()
	if stun.Decode(data, m) != nil || m.TransactionID != p.id || m.Type.Method != stun.MethodRefresh {
		return ""
	}
	switch m.Type.Class {
	case stun.ClassSuccessResponse:
		return "released"
	case stun.ClassErrorResponse:
		var code stun.ErrorCodeAttribute
		if code.GetFrom(m) == nil && code.Code == stun.CodeAllocMismatch {
			return "gone"
		}
		return "refused"
	}
	return ""
}
