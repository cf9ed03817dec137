package client

import (
	"net/netip"
	"testing"

	"github.com/pion/stun/v3"
)

// FuzzAttributes reads hostile attributes: what our codecs accept, pion/stun's
// own reading of the same bytes agrees with, and writing it gives it back.
func FuzzAttributes(f *testing.F) {
	f.Add([]byte{0, 1, 0x21, 0x13, 0x5e, 0x12, 0xa4, 0x43}, uint16(stun.AttrXORPeerAddress))
	f.Add([]byte{0, 2, 0x21, 0x13, 0x5e, 0x12, 0xa4, 0x43, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, uint16(stun.AttrXORRelayedAddress))
	f.Add([]byte{0, 0, 2, 88}, uint16(stun.AttrLifetime))
	f.Add([]byte{0, 0, 3, 1, 0, 0, 0, 0}, uint16(attrICMP))
	f.Add([]byte{0, 0, 4, 38, 'x', 0, 0, 0}, uint16(stun.AttrErrorCode))
	f.Fuzz(func(t *testing.T, value []byte, kind uint16) {
		if len(value) > 1000 {
			return
		}
		raw := stun.MustBuild(stun.NewType(stun.MethodRefresh, stun.ClassErrorResponse), stun.RawAttribute{Type: stun.AttrType(kind), Value: value}).Raw
		var m message
		if ok, _ := m.parse(raw, nil); !ok {
			return
		}
		checkAddress(t, &m, stun.AttrType(kind))
		if v := m.verdict(); v.code != 0 && (v.code < 300 || v.code > 699) || len(v.reason) > maxReason {
			t.Errorf("verdict %+v", v)
		}
		var l lifetime
		if l.GetFrom(&m.Message) == nil && (l < 0 || l > lifetime(maxLifetime)) {
			t.Errorf("lifetime %d", l)
		}
		if ch := m.challenge(); len(ch.realm) > maxText || len(ch.nonce) > maxText {
			t.Error("a challenge that is too long")
		}
		for _, ipv6 := range []bool{false, true} {
			getICMP(&m.Message, ipv6)
		}
	})
}

func checkAddress(t *testing.T, m *message, kind stun.AttrType) {
	got, ok := getXorAddress(&m.Message, kind)
	if !ok {
		return
	}
	// "The first 8 bits of the MAPPED-ADDRESS MUST be set to 0 and MUST be
	// ignored by receivers." pion/stun minds them.
	attr, _ := m.Attributes.Get(kind)
	attr.Value[0] = 0
	var want stun.XORMappedAddress
	if err := want.GetFromAs(&m.Message, kind); err != nil {
		t.Fatalf("pion/stun refuses what we read as %v: %v", got, err)
	}
	if ip, _ := netip.AddrFromSlice(want.IP); ip != got.Addr() || want.Port != int(got.Port()) {
		t.Errorf("read %v, pion/stun reads %v", got, want)
	}
	var b [20]byte
	n := putXorAddress(b[:], got, m.TransactionID)
	if again, ok := parseXorAddress(b[:n], m.TransactionID); !ok || again != got {
		t.Errorf("wrote %v, read %v", got, again)
	}
}
