package turntest

import (
	"net/netip"
	"time"
)

// HandleStream takes bytes of the client's stream. It answers false when they
// are no messages: then the server ends the stream.
func (s *Server) HandleStream(now time.Duration, from netip.AddrPort, data []byte) bool {
	d := s.streams[from]
	if d == nil {
		d = new(Deframer)
		s.streams[from] = d
	}
	for len(data) > 0 {
		n, frame, err := d.Take(data)
		if err != nil {
			return false
		}
		if frame != nil {
			s.Handle(now, s.cfg.Addr, from, frame)
		}
		data = data[n:]
	}
	return true
}

// EndStream: the client's stream is over. coturn and pion free what was
// allocated on it; the RFC says nothing of that.
func (s *Server) EndStream(now time.Duration, from netip.AddrPort) {
	s.Tick(now)
	delete(s.streams, from)
	h := s.holdings[from]
	if h != nil && s.habits.freesAtEnd {
		s.remove(h)
	}
}
