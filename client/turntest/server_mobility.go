package turntest

import (
	"fmt"
	"net/netip"
	"time"
)

// ticket is one that the server gave out (RFC 8016). It outlives its
// allocation, so that the server can tell a stale one from an invention.
type ticket struct {
	holding *holding
	spent   time.Duration // when a newer one took its place; 0 = it is the newest
}

// ticketRetained: "a server must retain the old STUN MOBILITY-TICKET attribute
// for a period of at least 30 seconds to be able to recognize a retransmission
// of the Refresh request with the old STUN MOBILITY-TICKET attribute from the
// client." https://www.rfc-editor.org/rfc/rfc8016#section-3.2.2
const ticketRetained = 30 * time.Second

// refuseTicket: "If the MOBILITY-TICKET attribute is included, and has a length
// of zero, but TURN session mobility is forbidden by local policy, the server
// will reject the request with the new error code 405 (Mobility Forbidden). If
// the MOBILITY-TICKET attribute is included and has a non-zero length, then the
// server will generate an error response with an error code of 400".
// https://www.rfc-editor.org/rfc/rfc8016#section-3.1.2
//
// A server that does not know the attribute ignores it.
func (x *exchange) refuseTicket() bool {
	value, asked := x.m.Get(AttrMobilityTicket)
	switch {
	case !asked || !x.s.cfg.Mobility && !x.s.cfg.ForbidMobility:
		return false
	case len(value) > 0:
		x.refuse(400)
	case x.s.cfg.ForbidMobility:
		x.refuse(405)
	default:
		return false
	}
	return true
}

// giveTicket makes the holding's newest ticket: "The new ticket sent in the
// refresh response MUST be different from the old ticket."
func (s *Server) giveTicket(h *holding) {
	if old := s.tickets[h.ticket]; old != nil {
		old.spent = s.now
	}
	s.ticketSeq++
	h.ticket = fmt.Sprintf("ticket-%d", s.ticketSeq)
	s.tickets[h.ticket] = &ticket{holding: h}
}

// refreshed finds the allocation that a Refresh is about; without one the
// exchange is over. With a ticket "the server will not retrieve the 5-tuple from
// the packet to identify an associated allocation".
func (x *exchange) refreshed() *holding {
	value, shown := x.m.Get(AttrMobilityTicket)
	switch {
	case !shown || !x.s.cfg.Mobility && !x.s.cfg.ForbidMobility:
		return x.owned(437)
	case x.s.cfg.ForbidMobility:
		x.refuse(405)
		return nil
	}
	return x.byTicket(x.s.tickets[string(value)])
}

// byTicket does the checks in the order in which RFC 8016 section 3.2.2 has
// them, and moves.
func (x *exchange) byTicket(t *ticket) *holding {
	switch h := x.s.holdingOf(t); {
	case t == nil:
		x.refuse(400)
	case h == nil:
		x.refuse(437)
	case t.spent != 0 && h.movedBy == x.m.ID && x.s.now-t.spent <= ticketRetained:
		return h // a retransmission
	case h.client == x.from || t.spent != 0:
		x.refuse(400)
	case h.username != x.username:
		x.refuse(441)
	default:
		x.s.move(h, x.from, x.m)
		return h
	}
	return nil
}

func (s *Server) holdingOf(t *ticket) *holding {
	if t == nil || s.relays[t.holding.relayed] != t.holding {
		return nil
	}
	return t.holding
}

// move: "The server then updates its state data with the new client IP address
// and port but does not discard the old 5-tuple from its state data."
//
// What is on the new 5-tuple already goes: the RFC does not say.
func (s *Server) move(h *holding, to netip.AddrPort, m *Message) {
	if m.isRelease() {
		return // it is deleted where it is
	}
	if there := s.holdings[to]; there != nil {
		s.remove(there)
	}
	delete(s.holdings, h.client)
	s.settleIn(h)
	h.former, h.client, h.movedBy = h.client, to, m.ID
	s.holdings[to], s.formers[h.former] = h, h
	s.giveTicket(h)
}

// settleIn discards the old 5-tuple: "until it receives a Send Indication or
// ChannelData message from the client on the new 5-tuple".
func (s *Server) settleIn(h *holding) {
	if h.former.IsValid() && s.formers[h.former] == h {
		delete(s.formers, h.former)
	}
	h.former = netip.AddrPort{}
}

// dataFrom finds the allocation of a Send indication or ChannelData.
func (s *Server) dataFrom(client netip.AddrPort) *holding {
	if h := s.holdings[client]; h != nil {
		s.settleIn(h)
		return h
	}
	return s.formers[client]
}

// reach is where data for the client goes.
func (h *holding) reach() netip.AddrPort {
	if h.former.IsValid() {
		return h.former
	}
	return h.client
}
