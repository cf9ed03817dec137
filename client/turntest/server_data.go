package turntest

import (
	"net/netip"
	"time"
)

// handleIndication takes a Send indication.
//
// "if the 5-tuple does not identify an existing allocation, then the message
// MUST [...] be silently ignored (if it is an indication or a ChannelData
// message)"
// https://www.rfc-editor.org/rfc/rfc8656#section-5
func (s *Server) handleIndication(from netip.AddrPort, m *Message) {
	h := s.dataFrom(from)
	peer, hasPeer := m.Address(AttrXORPeerAddress)
	payload, hasData := m.Get(AttrData)
	if h == nil || m.Method != MethodSend || !hasPeer || !hasData || len(m.Unknown()) > 0 {
		return
	}
	s.relayToPeer(h, peer, payload)
}

func (s *Server) relayChannelData(from netip.AddrPort, number uint16, payload []byte) {
	if h := s.dataFrom(from); h != nil {
		if ch, ok := h.channels[number]; ok {
			s.relayToPeer(h, ch.peer, payload)
		}
	}
}

func (s *Server) relayToPeer(h *holding, peer netip.AddrPort, payload []byte) {
	relayed, reachable := h.relayedTo(peer.Addr())
	if _, ok := h.permissions[peer.Addr()]; ok && reachable {
		s.out = append(s.out, Datagram{relayed, peer, append([]byte(nil), payload...)})
	}
}

// relayToClient takes a datagram that reached a relayed address: on the peer's
// channel if there is one, else in a Data indication, and not at all without a
// permission.
// https://www.rfc-editor.org/rfc/rfc8656#section-11.3
func (s *Server) relayToClient(local, peer netip.AddrPort, payload []byte) {
	h := s.relays[local]
	if h == nil {
		return
	}
	if _, ok := h.permissions[peer.Addr()]; !ok {
		return
	}
	if number, ok := h.channelOf(peer); ok {
		s.send(h.reach(), ChannelData(number, payload))
		return
	}
	s.send(h.reach(), Build(MethodData, Indication, s.randomID()).
		Address(AttrXORPeerAddress, peer).Bytes(AttrData, payload).Datagram())
}

// PeerICMP is an ICMP packet that reached a relayed address about a datagram to
// a peer; the client hears of it if the peer has a permission.
// https://www.rfc-editor.org/rfc/rfc8656#section-11.5
func (s *Server) PeerICMP(now time.Duration, relayed, peer netip.AddrPort, icmpType, code uint8, data [4]byte) {
	s.Tick(now)
	h := s.relays[relayed]
	if h == nil {
		return
	}
	if _, ok := h.permissions[peer.Addr()]; ok {
		s.send(h.reach(), Build(MethodData, Indication, s.randomID()).
			Address(AttrXORPeerAddress, peer).ICMP(icmpType, code, data).Datagram())
	}
}

func (s *Server) randomID() (id TransactionID) {
	for i := range id {
		id[i] = byte(s.cfg.Rand.Uint32())
	}
	return id
}
