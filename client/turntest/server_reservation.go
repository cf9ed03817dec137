package turntest

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// reservation is a port that is kept for whoever brings its token.
type reservation struct {
	addr  netip.AddrPort
	until time.Duration
}

// "The server MUST hold this reservation for at least 30 seconds": not longer,
// here. https://www.rfc-editor.org/rfc/rfc8656#section-7.2
const reservationHeld = 30 * time.Second

// redeem finds the address that a token stands for, once.
func (x *exchange) redeem() (netip.AddrPort, bool) {
	v, _ := x.m.Get(AttrReservationToken)
	if len(v) != 8 {
		return netip.AddrPort{}, false
	}
	kept, ok := x.s.reserved[[8]byte(v)]
	if !ok || kept.until <= x.s.now || x.s.relays[kept.addr] != nil {
		return netip.AddrPort{}, false
	}
	delete(x.s.reserved, [8]byte(v))
	return kept.addr, true
}

// reserveNext keeps the port above the relayed address's, and names it in the
// answer.
func (x *exchange) reserveNext(h *holding) {
	if even, _ := x.m.Get(AttrEvenPort); len(even) != 1 || even[0]&0x80 == 0 {
		return
	}
	next := netip.AddrPortFrom(h.relayed.Addr(), h.relayed.Port()+1)
	token := [8]byte{'t', 'o', 'k', 'e', 'n', 0}
	binary.BigEndian.PutUint16(token[6:], next.Port())
	if _, known := x.s.reserved[token]; !known {
		x.s.reserved[token] = reservation{next, x.s.now + reservationHeld}
	}
	x.reply.Bytes(AttrReservationToken, token[:])
}

// isReserved: the port is kept for somebody.
func (s *Server) isReserved(a netip.AddrPort) bool {
	for token, kept := range s.reserved {
		if kept.until <= s.now {
			delete(s.reserved, token)
		} else if kept.addr == a {
			return true
		}
	}
	return false
}
