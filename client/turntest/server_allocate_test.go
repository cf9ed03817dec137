package turntest

import (
	"net/netip"
	"testing"
)

func TestServerRefusesAllocates(t *testing.T) {
	transport := func(p byte) func(*Builder) { return func(b *Builder) { b.Transport(p) } }
	v6 := func(b *Builder) { b.Transport(17).Family(familyIPv6) }
	for _, tt := range []struct {
		name string
		cfg  ServerConfig
		add  func(*Builder)
		want string
	}{
		{"no transport", ServerConfig{}, nil, "Allocate error ERROR-CODE=400"},
		{"TCP", ServerConfig{}, transport(6), "Allocate error ERROR-CODE=442"},
		{"IPv6", ServerConfig{}, v6, "Allocate error ERROR-CODE=440"},
		{"IPv6 of pion", ServerConfig{Flavour: Pion}, v6, "Allocate error ERROR-CODE=508"},
		{"IPv6 where there is", ServerConfig{Relay6: netip.MustParseAddr("2001:db8::1")}, v6,
			"Allocate success XOR-RELAYED-ADDRESS=[2001:db8::1]:49152"},
		{"unknown", ServerConfig{}, func(b *Builder) { overUDP(b); b.Text(0x7ABC, "x") },
			`Allocate error ERROR-CODE=420:"Unknown Attribute" UNKNOWN-ATTRIBUTES=attribute-0x7abc`},
		{"DONT-FRAGMENT", ServerConfig{Flavour: Pion}, func(b *Builder) { overUDP(b); b.Bytes(AttrDontFragment, nil) },
			"Allocate error ERROR-CODE=420 UNKNOWN-ATTRIBUTES=DONT-FRAGMENT"},
		{"token and EVEN-PORT", ServerConfig{}, func(b *Builder) {
			overUDP(b)
			b.Bytes(AttrReservationToken, make([]byte, 8)).Bytes(AttrEvenPort, []byte{0})
		}, "Allocate error ERROR-CODE=400"},
	} {
		r := newRig(t, tt.cfg)
		r.request(MethodAllocate, "", overUDP)
		r.want(r.request(MethodAllocate, alice, tt.add), tt.want, tt.name)
	}
}

func TestServerQuotas(t *testing.T) {
	for code, cfg := range map[string]ServerConfig{"486": {Quota: 1}, "508": {Ports: 1}} {
		r := newRig(t, cfg)
		r.allocate()
		r.from, r.nonce = netip.AddrPortFrom(clientAddr.Addr(), 50001), ""
		r.request(MethodAllocate, "", overUDP)
		r.want(r.request(MethodAllocate, alice, overUDP), "Allocate error ERROR-CODE="+code, "a second allocation")
	}
}
