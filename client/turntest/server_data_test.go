package turntest

import (
	"net/netip"
	"testing"
	"time"
)

func TestServerPermissions(t *testing.T) {
	denied := netip.MustParseAddr("203.0.113.66")
	batch := func(b *Builder) {
		withPeer(b)
		b.Address(AttrXORPeerAddress, netip.AddrPortFrom(denied, 1))
	}
	for flavour, installed := range map[Flavour]int{RFC: 0, Coturn: 0, Pion: 1} {
		r := newRig(t, ServerConfig{Flavour: flavour, Denied: []netip.Addr{denied}})
		r.allocate()
		r.want(r.request(MethodCreatePermission, alice, nil), "CreatePermission error ERROR-CODE=400", "no peer")
		r.want(r.request(MethodCreatePermission, alice, batch), "CreatePermission error ERROR-CODE=403", "one denied peer fails the batch")
		h, _ := r.s.At(clientAddr)
		if len(h.Permissions) != installed {
			t.Errorf("%v: the failed batch leaves %d permissions, want %d", flavour, len(h.Permissions), installed)
		}
		r.want(r.request(MethodCreatePermission, alice, withPeer), "CreatePermission success", "the other alone")
		r.want(r.request(MethodCreatePermission, alice, func(b *Builder) {
			b.Address(AttrXORPeerAddress, netip.MustParseAddrPort("[2001:db8::1]:1"))
		}), "CreatePermission error ERROR-CODE=443", "the other family")
	}
}

func TestServerWithoutAllocation(t *testing.T) {
	for flavour, code := range map[Flavour]string{RFC: "437", Coturn: "400"} {
		r := newRig(t, ServerConfig{Flavour: flavour})
		r.request(MethodAllocate, "", overUDP)
		r.want(r.request(MethodCreatePermission, alice, withPeer), "CreatePermission error ERROR-CODE="+code, flavour.String())
		r.want(r.request(MethodChannelBind, alice, onChannel(0x4000)), "ChannelBind error ERROR-CODE="+code, flavour.String())
	}
}

func TestServerChannelRules(t *testing.T) {
	r := newRig(t, ServerConfig{})
	r.allocate()
	r.want(r.request(MethodChannelBind, alice, onChannel(0x3FFF)), "ChannelBind error ERROR-CODE=400", "number too low")
	r.want(r.request(MethodChannelBind, alice, onChannel(0x5000)), "ChannelBind error ERROR-CODE=400", "number too high")
	r.want(r.request(MethodChannelBind, alice, onChannel(0x4001)), "ChannelBind success", "a good number")
	r.want(r.request(MethodChannelBind, alice, onChannel(0x4002)), "ChannelBind error ERROR-CODE=400", "the peer has one")
	r.want(r.request(MethodChannelBind, alice, func(b *Builder) {
		b.Channel(0x4001).Address(AttrXORPeerAddress, netip.AddrPortFrom(peerAddr.Addr(), 1))
	}), "ChannelBind error ERROR-CODE=400", "the number has a peer")
	r.want(r.request(MethodChannelBind, alice, onChannel(0x4001)), "ChannelBind success", "the same pair again")
}

func TestServerPionDeniesChannelsWithABare401(t *testing.T) {
	r := newRig(t, ServerConfig{Flavour: Pion, Denied: []netip.Addr{peerAddr.Addr()}})
	r.allocate()
	if got := r.request(MethodChannelBind, alice, onChannel(0x4000)); got != "ChannelBind error ERROR-CODE=401" {
		t.Errorf("got %s", got)
	}
}

// relayed gives what the server sends on when a datagram reaches it.
func (r *rig) relayed(local, from netip.AddrPort, datagram []byte) (out []Datagram) {
	r.s.Handle(r.now, local, from, datagram)
	for d, ok := r.s.Poll(); ok; d, ok = r.s.Poll() {
		out = append(out, d)
	}
	return out
}

func (r *rig) wantRelayed(got []Datagram, to netip.AddrPort, want, why string) {
	r.Helper()
	if want == "" {
		if len(got) != 0 {
			r.Errorf("%s: %v is sent on", why, got)
		}
		return
	}
	if len(got) != 1 || got[0].To != to {
		r.Errorf("%s: sent on %v, want one to %v", why, got, to)
		return
	}
	text := string(got[0].Data)
	if to == clientAddr {
		text = Describe(got[0].Data, nil)
	}
	if text != want {
		r.Errorf("%s: sent on %s, want %s", why, text, want)
	}
}

func TestServerRelaysBothWays(t *testing.T) {
	r := newRig(t, ServerConfig{})
	r.allocate()
	h, _ := r.s.At(clientAddr)
	ping := Build(MethodSend, Indication, r.nextID()).Address(AttrXORPeerAddress, peerAddr).Text(AttrData, "ping").Datagram()
	r.wantRelayed(r.relayed(serverAddr, clientAddr, ping), peerAddr, "", "without a permission, out")
	r.wantRelayed(r.relayed(h.Relayed, peerAddr, []byte("pong")), clientAddr, "", "without a permission, in")

	r.request(MethodCreatePermission, alice, withPeer)
	r.wantRelayed(r.relayed(serverAddr, clientAddr, ping), peerAddr, "ping", "an indication")
	r.wantRelayed(r.relayed(h.Relayed, peerAddr, []byte("pong")), clientAddr,
		`Data indication XOR-PEER-ADDRESS=203.0.113.9:4000 DATA="pong"`, "the answer")

	r.request(MethodChannelBind, alice, onChannel(0x4001))
	r.wantRelayed(r.relayed(serverAddr, clientAddr, ChannelData(0x4001, []byte("ping"))), peerAddr, "ping", "on the channel")
	r.wantRelayed(r.relayed(h.Relayed, peerAddr, []byte("pong")), clientAddr, `ChannelData 0x4001 "pong"`, "the answer on it")

	r.now = 301 * time.Second
	r.wantRelayed(r.relayed(serverAddr, clientAddr, ChannelData(0x4001, []byte("ping"))), peerAddr, "", "the channel does not keep the permission")
	r.request(MethodCreatePermission, alice, withPeer)
	if got := r.relayed(serverAddr, clientAddr, ChannelData(0x4001, nil)); len(got) != 1 || len(got[0].Data) != 0 {
		t.Errorf("an empty payload is relayed like any other: %v", got)
	}
}
