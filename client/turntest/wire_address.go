package turntest

import (
	"encoding/binary"
	"net/netip"
)

// The address families of an address attribute.
const (
	familyIPv4 = 0x01
	familyIPv6 = 0x02
)

func isXOR(t AttributeType) bool {
	switch t {
	case AttrXORMappedAddress, AttrXORPeerAddress, AttrXORRelayedAddress:
		return true
	}
	return false
}

func isAddress(t AttributeType) bool {
	return isXOR(t) || t == AttrMappedAddress || t == AttrAlternateServer
}

// mask is what an address is XORed with: the cookie, then the transaction ID.
// https://www.rfc-editor.org/rfc/rfc8489#section-14.2
func mask(id TransactionID) (m [16]byte) {
	binary.BigEndian.PutUint32(m[:], magicCookie)
	copy(m[4:], id[:])
	return m
}

func appendAddress(b []byte, a netip.AddrPort, xor bool, id TransactionID) []byte {
	ip, family, port := a.Addr().Unmap().AsSlice(), byte(familyIPv4), a.Port()
	if len(ip) == 16 {
		family = familyIPv6
	}
	if xor {
		port ^= magicCookie >> 16
		for i, m := range mask(id) {
			if i < len(ip) {
				ip[i] ^= m
			}
		}
	}
	b = append(b, 0, family, byte(port>>8), byte(port))
	return append(b, ip...)
}

func parseAddress(value []byte, xor bool, id TransactionID) (netip.AddrPort, bool) {
	if len(value) < 4 {
		return netip.AddrPort{}, false
	}
	size := map[byte]int{familyIPv4: 4, familyIPv6: 16}[value[1]]
	if size == 0 || len(value) != 4+size {
		return netip.AddrPort{}, false
	}
	port := binary.BigEndian.Uint16(value[2:])
	ip := append([]byte(nil), value[4:]...)
	if xor {
		port ^= magicCookie >> 16
		m := mask(id)
		for i := range ip {
			ip[i] ^= m[i]
		}
	}
	addr, ok := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(addr, port), ok
}
