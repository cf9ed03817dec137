package turntest

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// relayTCP is what a Server has for TCP allocations, written from the server
// sections of RFC 6062. A stream's bytes are what Handle takes and Poll gives,
// in their order: messages on a control connection, messages and then payload
// on a data connection, payload on a peer's.
type relayTCP struct {
	connections []*peerConnection
	last        uint32
}

// peerConnection is a peer data connection.
type peerConnection struct {
	h        *holding
	id       uint32
	peer     netip.AddrPort
	incoming bool
	client   netip.AddrPort // the client data connection's; invalid while it is pending
	closeAt  time.Duration  // while it is pending
	early    []byte         // "The server MUST buffer any data received from the peer."
}

// bindPatience: "If no ConnectionBind request associated with this peer data
// connection is received after 30 seconds, the peer data connection MUST be
// closed." https://www.rfc-editor.org/rfc/rfc6062#section-5.2
const bindPatience = 30 * time.Second

// refuseTCP: "If the request contains the DONT-FRAGMENT, EVEN-PORT, or
// RESERVATION-TOKEN attribute, the server MUST reject the request with a 400 (Bad
// Request) error." https://www.rfc-editor.org/rfc/rfc6062#section-5.1
func (x *exchange) refuseTCP() bool {
	switch {
	case !x.s.cfg.RelayTCP:
		x.refuse(442)
	case x.m.Has(AttrDontFragment) || x.m.Has(AttrEvenPort) || x.m.Has(AttrReservationToken):
		x.refuse(400)
	default:
		return false
	}
	return true
}

// wantsTCP says what the allocation is to relay.
func (m *Message) wantsTCP() bool {
	transport, _ := m.Get(AttrRequestedTransport)
	return len(transport) == 4 && transport[0] == 6
}

// connect is an authenticated Connect.
// https://www.rfc-editor.org/rfc/rfc6062#section-5.2
func (x *exchange) connect() {
	h := x.owned(437)
	if h == nil {
		return
	}
	peer, ok := x.m.Address(AttrXORPeerAddress)
	switch {
	case !ok || !h.tcp || peer.Port() == 0:
		x.refuse(400)
	case x.s.connectedTo(h, peer):
		x.refuse(446)
	case x.s.refusePeer(h, peer.Addr()) != 0:
		x.refuse(x.s.refusePeer(h, peer.Addr()))
	case slices.Contains(x.s.cfg.Unreachable, peer):
		x.refuse(447)
	default:
		k := x.s.newConnection(h, peer, false)
		x.succeed().connection(k.id)
	}
}

func (b *Builder) connection(id uint32) *Builder {
	return b.Bytes(AttrConnectionID, binary.BigEndian.AppendUint32(nil, id))
}

func (s *Server) newConnection(h *holding, peer netip.AddrPort, incoming bool) *peerConnection {
	s.tcp.last++
	k := &peerConnection{h: h, id: s.tcp.last, peer: peer, incoming: incoming, closeAt: s.now + bindPatience}
	s.tcp.connections = append(s.tcp.connections, k)
	return k
}

func (s *Server) connectedTo(h *holding, peer netip.AddrPort) bool {
	return s.connection(func(k *peerConnection) bool { return k.h == h && k.peer == peer && !k.incoming }) != nil
}

func (s *Server) connection(is func(*peerConnection) bool) *peerConnection {
	for _, k := range s.tcp.connections {
		if is(k) {
			return k
		}
	}
	return nil
}

// connectionBind is an authenticated ConnectionBind: "if this attribute does not
// refer to an existing pending connection, the server MUST return a 400 (Bad
// Request) error." https://www.rfc-editor.org/rfc/rfc6062#section-5.4
func (x *exchange) connectionBind() {
	id, _ := x.m.Get(AttrConnectionID)
	k := x.s.connection(func(k *peerConnection) bool {
		return len(id) == 4 && k.id == binary.BigEndian.Uint32(id) && !k.client.IsValid()
	})
	switch {
	case k == nil || x.s.holdings[x.from] != nil:
		x.refuse(400)
	case k.h.username != x.username:
		x.refuse(441)
	default:
		k.client = x.from
		x.succeed().connection(k.id)
		x.signed = x.signed && !x.s.cfg.UnsignedBind
	}
}

// handOver sends what a peer said before its connection was bound, behind the
// answer.
func (s *Server) handOver(client netip.AddrPort) {
	if k := s.connection(func(k *peerConnection) bool { return k.client == client }); k != nil && len(k.early) > 0 {
		s.send(client, k.early)
		k.early = nil
	}
}

// relayConnection takes bytes of a client data connection; false: it is none.
func (s *Server) relayConnection(from netip.AddrPort, data []byte) bool {
	k := s.connection(func(k *peerConnection) bool { return k.client == from })
	if k == nil {
		return false
	}
	s.out = append(s.out, Datagram{k.h.relayed, k.peer, slices.Clone(data)})
	return true
}

// PeerConnects is a peer's connection to a relayed address. It is false where
// the server closes it at once: "If no permission for this peer has been
// installed for this allocation".
// https://www.rfc-editor.org/rfc/rfc6062#section-5.3
func (s *Server) PeerConnects(now time.Duration, relayed, peer netip.AddrPort) bool {
	s.Tick(now)
	h := s.relays[relayed]
	if h == nil || !h.tcp {
		return false
	}
	if _, ok := h.permissions[peer.Addr()]; !ok {
		return false
	}
	k := s.newConnection(h, peer, true)
	s.send(h.reach(), Build(MethodConnectionAttempt, Indication, s.randomID()).
		Address(AttrXORPeerAddress, peer).connection(k.id).Datagram())
	return true
}

// PeerSends is what a peer says on its connection with a relayed address.
func (s *Server) PeerSends(now time.Duration, relayed, peer netip.AddrPort, data []byte) {
	s.Tick(now)
	k := s.connection(func(k *peerConnection) bool { return k.h.relayed == relayed && k.peer == peer })
	switch {
	case k == nil:
	case k.client.IsValid():
		s.send(k.client, slices.Clone(data))
	default:
		k.early = append(k.early, data...)
	}
}

// StreamEnds is the end of a client's connection, control or data: "When a
// client data connection is closed, the server MUST close the corresponding peer
// data connection." https://www.rfc-editor.org/rfc/rfc6062#section-5.5
func (s *Server) StreamEnds(now time.Duration, client netip.AddrPort) {
	s.Tick(now)
	if h := s.holdings[client]; h != nil {
		s.remove(h)
	}
	s.dropConnections(func(k *peerConnection) bool { return k.client == client })
}

// Connections is how many peer data connections it holds, and how many of them
// are bound.
func (s *Server) Connections() (all, bound int) {
	for _, k := range s.tcp.connections {
		if k.client.IsValid() {
			bound++
		}
	}
	return len(s.tcp.connections), bound
}

func (s *Server) dropConnections(is func(*peerConnection) bool) {
	s.tcp.connections = slices.DeleteFunc(s.tcp.connections, is)
}

// tickConnections closes what nobody bound.
func (s *Server) tickConnections() {
	s.dropConnections(func(k *peerConnection) bool { return !k.client.IsValid() && k.closeAt <= s.now })
}
