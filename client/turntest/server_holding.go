package turntest

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// holding is one allocation.
type holding struct {
	client, relayed netip.AddrPort
	additional      netip.AddrPort // of the other family; zero = none
	username        string

	former  netip.AddrPort // the client's address before it moved; invalid = none
	ticket  string
	movedBy TransactionID

	madeBy    TransactionID // the Allocate that made it
	touch     Touch
	expiresAt time.Duration
	deleteAt  time.Duration // after a release was answered; 0 = none was

	tcp         bool // it relays connections
	permissions map[netip.Addr]time.Duration
	channels    map[uint16]channelBinding
}

type channelBinding struct {
	peer      netip.AddrPort
	expiresAt time.Duration
}

// Touch is what last gave an allocation its lifetime.
type Touch struct {
	At time.Duration
	By TransactionID
	// Copy is which copy of the request it was: 1 for the first that the server
	// handled.
	Copy int
}

// Holding is what a Server holds for one 5-tuple.
type Holding struct {
	Client, Relayed netip.AddrPort
	Username        string
	Touch           Touch
	ExpiresAt       time.Duration
	// Dying: the release was answered, the deletion is under way.
	Dying       bool
	Permissions []netip.Addr
	Channels    map[uint16]netip.AddrPort
}

// Allocations is how many allocations the server holds, dying ones included,
// as of the last Handle or Tick.
func (s *Server) Allocations() int { return len(s.holdings) }

// Held is the same, one by one, in the order of the client's address.
func (s *Server) Held() []Holding {
	var out []Holding
	for _, h := range s.sorted() {
		out = append(out, h.view())
	}
	return out
}

// At is what the server holds for one client's address.
func (s *Server) At(client netip.AddrPort) (Holding, bool) {
	if h := s.holdings[client]; h != nil {
		return h.view(), true
	}
	return Holding{}, false
}

func (h *holding) view() Holding {
	v := Holding{
		Client: h.client, Relayed: h.relayed, Username: h.username, Touch: h.touch,
		ExpiresAt: h.expiresAt, Dying: h.deleteAt != 0, Channels: map[uint16]netip.AddrPort{},
	}
	for ip := range h.permissions {
		v.Permissions = append(v.Permissions, ip)
	}
	slices.SortFunc(v.Permissions, netip.Addr.Compare)
	for number, ch := range h.channels {
		v.Channels[number] = ch.peer
	}
	return v
}

// relayedTo is the relayed address that peers of the family see.
func (h *holding) relayedTo(ip netip.Addr) (netip.AddrPort, bool) {
	for _, a := range []netip.AddrPort{h.relayed, h.additional} {
		if a.IsValid() && a.Addr().Is4() == ip.Is4() {
			return a, true
		}
	}
	return netip.AddrPort{}, false
}

// expire drops the permissions and channels whose time has come.
func (h *holding) expire(now time.Duration) {
	for ip, at := range h.permissions {
		if at <= now {
			delete(h.permissions, ip)
		}
	}
	for number, ch := range h.channels {
		if ch.expiresAt <= now {
			delete(h.channels, number)
		}
	}
}

func (h *holding) gone(now time.Duration) bool {
	return h.expiresAt <= now || h.deleteAt != 0 && h.deleteAt <= now
}

func (s *Server) remove(h *holding) {
	delete(s.holdings, h.client)
	delete(s.relays, h.relayed)
	s.settleIn(h)
	s.dropConnections(func(k *peerConnection) bool { return k.h == h })
	delete(s.relays, h.additional)
	if s.habits.forgetsNonces {
		delete(s.nonces, h.client)
	}
}

// touchHolding gives an allocation a lifetime and notes which request did it.
func (s *Server) touchHolding(h *holding, m *Message, lifetime time.Duration) {
	h.touch = Touch{At: s.now, By: m.ID, Copy: s.handled[m.ID]}
	h.expiresAt = s.now + lifetime
	h.deleteAt = 0
}

// channelOf finds the live channel to a peer.
func (h *holding) channelOf(peer netip.AddrPort) (uint16, bool) {
	found := uint16(0)
	for number, ch := range h.channels {
		if ch.peer == peer {
			found = cmp.Or(found, number)
		}
	}
	return found, found != 0
}

// grant is the lifetime for what a request asks.
//
// "the server computes the minimum of the client's proposed lifetime and the
// server's maximum allowed lifetime. If this computed value is greater than the
// default lifetime, then the server uses the computed lifetime as the initial
// value of the time-to-expiry field. Otherwise, the server uses the default
// lifetime."
// https://www.rfc-editor.org/rfc/rfc8656#section-7.2
func (s *Server) grant(m *Message) time.Duration {
	asked, ok := m.Lifetime()
	switch {
	case ok && s.habits.takesAskedLifetime:
		if asked < s.cfg.MaxLifetime {
			return asked
		}
	case ok:
		return max(min(asked, s.cfg.MaxLifetime), s.cfg.DefaultLifetime)
	}
	return s.cfg.DefaultLifetime
}
