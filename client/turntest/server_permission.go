package turntest

import (
	"net/netip"
	"slices"
)

// createPermission is an authenticated CreatePermission.
// https://www.rfc-editor.org/rfc/rfc8656#section-10.2
func (x *exchange) createPermission() {
	h := x.owned(x.withoutAllocation())
	if h == nil {
		return
	}
	peers, ok := x.m.Addresses(AttrXORPeerAddress)
	if !ok || len(peers) == 0 {
		x.refuse(400)
		return
	}
	for i, peer := range peers {
		if code := x.s.refusePeer(h, peer.Addr()); code != 0 {
			if x.s.habits.partialBatch {
				x.s.permit(h, peers[:i])
			}
			x.refuse(code)
			return
		}
	}
	if x.s.cfg.Permissions > 0 && x.s.permissionsAfter(h, peers) > x.s.cfg.Permissions {
		x.refuse(508)
		return
	}
	x.s.permit(h, peers)
	x.succeed()
}

func (x *exchange) withoutAllocation() int {
	if code := x.s.habits.permissionWithoutAllocation; code != 0 {
		return code
	}
	return 437
}

// refusePeer is the code for a peer that may not be reached; 0 = it may.
func (s *Server) refusePeer(h *holding, ip netip.Addr) int {
	_, reachable := h.relayedTo(ip)
	switch {
	case !reachable:
		return 443
	case slices.Contains(s.cfg.Denied, ip):
		return 403
	}
	return 0
}

func (s *Server) permit(h *holding, peers []netip.AddrPort) {
	for _, peer := range peers {
		h.permissions[peer.Addr()] = s.now + s.cfg.PermissionLifetime
	}
}

func (s *Server) permissionsAfter(h *holding, peers []netip.AddrPort) int {
	n := len(h.permissions)
	for _, peer := range peers {
		if _, ok := h.permissions[peer.Addr()]; !ok {
			n++
		}
	}
	return n
}

// channelBind is an authenticated ChannelBind.
// https://www.rfc-editor.org/rfc/rfc8656#section-12.2
func (x *exchange) channelBind() {
	h := x.owned(x.withoutAllocation())
	if h == nil {
		return
	}
	number, hasNumber := x.m.Channel()
	peer, hasPeer := x.m.Address(AttrXORPeerAddress)
	if !hasNumber || !hasPeer || !h.bindable(number, peer) {
		x.refuse(400)
		return
	}
	if code := x.s.refusePeer(h, peer.Addr()); code != 0 {
		if code == 403 {
			code = x.s.habits.deniedChannel
		}
		x.refuse(code)
		return
	}
	h.channels[number] = channelBinding{peer, x.s.now + x.s.cfg.ChannelLifetime}
	x.s.permit(h, []netip.AddrPort{peer})
	x.succeed()
}

// bindable: the number is a channel's, and neither it nor the peer is bound to
// another at present.
func (h *holding) bindable(number uint16, peer netip.AddrPort) bool {
	if number < minChannel || number > maxChannel {
		return false
	}
	if ch, ok := h.channels[number]; ok && ch.peer != peer {
		return false
	}
	other, ok := h.channelOf(peer)
	return !ok || other == number
}
