package turntest

import (
	"net/netip"
	"time"
)

// allocatedBefore deals with an Allocate on a 5-tuple that is in use, where the
// server looks at that first; it answers true when the exchange is over.
//
// "the server can store the transaction id that created the request with the
// allocation data and compare it with incoming Allocate requests on the same
// 5-tuple. Once such a request is detected, the server can stop parsing the
// request and immediately generate a success response."
// https://www.rfc-editor.org/rfc/rfc8656#section-7.2
func (x *exchange) allocatedBefore() bool {
	h := x.s.holdings[x.from]
	if h == nil || !x.s.habits.mismatchFirst {
		return false
	}
	if h.madeBy != x.m.ID || h.deleteAt != 0 {
		x.refuse(437)
	} else if x.authenticate() {
		x.describeAllocation(h)
	}
	return true
}

// allocate is an authenticated Allocate.
// https://www.rfc-editor.org/rfc/rfc8656#section-7.2
func (x *exchange) allocate() {
	if h := x.s.holdings[x.from]; h != nil {
		if h.madeBy == x.m.ID {
			x.describeAllocation(h)
			return
		}
		x.refuse(437)
		return
	}
	if x.refuseTransport() || x.refuseTicket() || x.refuseOptions() || x.refuseQuota() {
		return
	}
	if x.m.Has(AttrReservationToken) {
		relayed, ok := x.redeem()
		if !ok {
			x.refuse(x.s.habits.unknownToken)
			return
		}
		x.describeAllocation(x.s.hold(x, relayed))
		return
	}
	ip, ok := x.relayIP()
	if !ok {
		x.refuse(x.s.habits.noFamily)
		return
	}
	h := x.s.hold(x, x.s.freePort(ip, x.m.Has(AttrEvenPort)))
	x.holdAdditional(h)
	x.describeAllocation(h)
}

// "If the REQUESTED-TRANSPORT attribute is not included or is malformed, the
// server rejects the request with a 400 (Bad Request) error."
func (x *exchange) refuseTransport() bool {
	transport, ok := x.m.Get(AttrRequestedTransport)
	switch {
	case !ok || len(transport) != 4:
		x.refuse(400)
	case x.m.wantsTCP():
		return x.refuseTCP()
	case transport[0] != 17:
		x.refuse(442)
	default:
		return false
	}
	return true
}

// refuseOptions: attributes that exclude each other, DONT-FRAGMENT, and ports
// that this server does not reserve.
func (x *exchange) refuseOptions() bool {
	m := x.m
	family, additional := m.Has(AttrRequestedAddressFamily), m.Has(AttrAdditionalFamily)
	even, _ := m.Get(AttrEvenPort)
	reserve := len(even) == 1 && even[0]&0x80 != 0
	token := m.Has(AttrReservationToken)
	switch {
	case m.Has(AttrDontFragment) && x.s.habits.refusesDontFragment:
		x.refuseUnknown([]AttributeType{AttrDontFragment})
	case token && (m.Has(AttrEvenPort) || family || additional),
		family && additional, reserve && additional:
		x.refuse(400)
	case reserve && x.s.cfg.NoReservations:
		x.refuse(508)
	default:
		return false
	}
	return true
}

func (x *exchange) refuseQuota() bool {
	own := 0
	for _, h := range x.s.holdings {
		if h.username == x.username {
			own++
		}
	}
	switch {
	case x.s.cfg.Quota > 0 && own >= x.s.cfg.Quota:
		x.refuse(486)
	case x.s.cfg.Ports > 0 && len(x.s.holdings) >= x.s.cfg.Ports:
		x.refuse(508)
	default:
		return false
	}
	return true
}

// relayIP is the address for the family that was asked for: IPv4 unless
// REQUESTED-ADDRESS-FAMILY says otherwise.
func (x *exchange) relayIP() (netip.Addr, bool) {
	ip := x.s.cfg.Relay
	if family, ok := x.m.Get(AttrRequestedAddressFamily); ok {
		switch {
		case len(family) == 4 && family[0] == familyIPv4:
		case len(family) == 4 && family[0] == familyIPv6:
			ip = x.s.cfg.Relay6
		default:
			ip = netip.Addr{}
		}
	}
	return ip, ip.IsValid()
}

func (s *Server) hold(x *exchange, relayed netip.AddrPort) *holding {
	h := &holding{
		client: x.from, relayed: relayed,
		username: x.username, madeBy: x.m.ID, tcp: x.m.wantsTCP(),
		permissions: map[netip.Addr]time.Duration{}, channels: map[uint16]channelBinding{},
	}
	s.touchHolding(h, x.m, s.grant(x.m))
	s.holdings[h.client], s.relays[h.relayed] = h, h
	if s.cfg.Mobility && x.m.Has(AttrMobilityTicket) && x.key != nil {
		s.giveTicket(h)
	}
	return h
}

// freePort takes ports in order, "from the range 49152 - 65535".
func (s *Server) freePort(ip netip.Addr, even bool) netip.AddrPort {
	for {
		a := netip.AddrPortFrom(ip, s.nextPort)
		if s.nextPort++; s.nextPort == 0 {
			s.nextPort = 49152
		}
		if s.relays[a] == nil && !s.isReserved(a) && (!even || a.Port()%2 == 0) {
			return a
		}
	}
}

func (x *exchange) describeAllocation(h *holding) {
	x.succeed().Address(AttrXORRelayedAddress, h.relayed).
		Lifetime(h.expiresAt-x.s.now).Address(AttrXORMappedAddress, x.from)
	if h.ticket != "" {
		x.reply.Text(AttrMobilityTicket, h.ticket)
	}
	x.reserveNext(h)
	if x.m.Has(AttrAdditionalFamily) {
		x.describeAdditional(h)
	}
}
