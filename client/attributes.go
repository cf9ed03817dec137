package client

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// TURN's own attributes, in the manner of pion/stun's AddTo and GetFrom.

const (
	attrAdditionalAddressFamily stun.AttrType = 0x8000 // ADDITIONAL-ADDRESS-FAMILY
	attrAddressErrorCode        stun.AttrType = 0x8001 // ADDRESS-ERROR-CODE
	attrICMP                    stun.AttrType = 0x8004 // ICMP

	magicCookie = 0x2112A442
)

// addPeer adds XOR-PEER-ADDRESS.
func addPeer(m *stun.Message, peer netip.AddrPort) {
	var value [20]byte
	n := putXorAddress(value[:], peer, m.TransactionID)
	addBytes(m, stun.AttrXORPeerAddress, value[:n])
}

// putXorAddress writes the value of XOR-PEER-ADDRESS and its like (RFC 8489
// section 14.2) into b and answers its length, 8 or 20.
func putXorAddress(b []byte, a netip.AddrPort, id [stun.TransactionIDSize]byte) int {
	ip := a.Addr().AsSlice()
	family := byte(1)
	if len(ip) == 16 {
		family = 2
	}
	b[0], b[1] = 0, family
	binary.BigEndian.PutUint16(b[2:], a.Port()^(magicCookie>>16))
	mask := xorMask(id)
	for i, x := range ip {
		b[4+i] = x ^ mask[i]
	}
	return 4 + len(ip)
}

func xorMask(id [stun.TransactionIDSize]byte) (mask [16]byte) {
	binary.BigEndian.PutUint32(mask[:], magicCookie)
	copy(mask[4:], id[:])
	return mask
}

// getXorAddress reads the first attribute of type t; false when it is absent
// or not an address.
func getXorAddress(m *stun.Message, t stun.AttrType) (netip.AddrPort, bool) {
	attr, ok := m.Attributes.Get(t)
	if !ok {
		return netip.AddrPort{}, false
	}
	return parseXorAddress(attr.Value, m.TransactionID)
}

func parseXorAddress(v []byte, id [stun.TransactionIDSize]byte) (netip.AddrPort, bool) {
	if !(len(v) == 8 && v[1] == 1 || len(v) == 20 && v[1] == 2) {
		return netip.AddrPort{}, false
	}
	var ip [16]byte
	mask := xorMask(id)
	for i, x := range v[4:] {
		ip[i] = x ^ mask[i]
	}
	addr := netip.AddrFrom16(ip)
	if len(v) == 8 {
		addr = netip.AddrFrom4([4]byte(ip[:4]))
	}
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(v[2:])^(magicCookie>>16)), true
}

// lifetime is LIFETIME (RFC 8656 section 18.2), sent in whole seconds.
type lifetime time.Duration

func (l lifetime) AddTo(m *stun.Message) error {
	seconds := (time.Duration(l) + time.Second - 1) / time.Second
	m.Add(stun.AttrLifetime, binary.BigEndian.AppendUint32(nil, uint32(seconds)))
	return nil
}

func (l *lifetime) GetFrom(m *stun.Message) error {
	v, err := m.Get(stun.AttrLifetime)
	if err != nil {
		return err
	}
	if len(v) != 4 {
		return stun.ErrAttributeSizeInvalid
	}
	*l = lifetime(min(time.Duration(binary.BigEndian.Uint32(v))*time.Second, maxLifetime))
	return nil
}

// requestedTransport is REQUESTED-TRANSPORT (RFC 8656 section 18.8).
type requestedTransport byte

const transportUDP requestedTransport = 17

func (t requestedTransport) AddTo(m *stun.Message) error {
	m.Add(stun.AttrRequestedTransport, []byte{byte(t), 0, 0, 0})
	return nil
}

// requestedFamily is REQUESTED-ADDRESS-FAMILY (RFC 8656 section 18.6).
type requestedFamily Family

func (f requestedFamily) AddTo(m *stun.Message) error {
	m.Add(stun.AttrRequestedAddressFamily, []byte{byte(f), 0, 0, 0})
	return nil
}

// channelNumber is CHANNEL-NUMBER (RFC 8656 section 18.1).
type channelNumber uint16

func (n channelNumber) AddTo(m *stun.Message) error {
	m.Add(stun.AttrChannelNumber, []byte{byte(n >> 8), byte(n), 0, 0})
	return nil
}

// getICMP reads ICMP (RFC 8656 section 18.13). The figure draws 7 bits of type
// and 9 of code, the text and the field 8 and 8: what gives a type that a
// server may relay (section 11.5) counts, the drawing first.
func getICMP(m *stun.Message, ipv6 bool) (ICMP, bool) {
	attr, ok := m.Attributes.Get(attrICMP)
	if !ok || len(attr.Value) != 8 {
		return ICMP{}, false
	}
	v := binary.BigEndian.Uint16(attr.Value[2:])
	drawn := ICMP{Type: uint8(v >> 9), Code: uint8(v)}
	octets := ICMP{Type: uint8(v >> 8), Code: uint8(v)}
	icmp := octets
	if v>>8&1 == 0 && relayedICMP(drawn, ipv6) {
		icmp = drawn
	}
	copy(icmp.Data[:], attr.Value[4:])
	return icmp, true
}

// "the server verifies that the type is either 3 or 11 for an ICMPv4 [RFC0792]
// packet or either 1, 2, or 3 for an ICMPv6 [RFC4443] packet"
// https://www.rfc-editor.org/rfc/rfc8656#section-11.5
func relayedICMP(icmp ICMP, ipv6 bool) bool {
	if ipv6 {
		return icmp.Type >= 1 && icmp.Type <= 3
	}
	return icmp.Type == 3 || icmp.Type == 11
}
