package turntest

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"
)

// Text reads USERNAME, REALM, NONCE and the like; "" without the attribute.
func (m *Message) Text(t AttributeType) string {
	v, _ := m.Get(t)
	return string(v)
}

// Address reads the first address of a type.
func (m *Message) Address(t AttributeType) (netip.AddrPort, bool) {
	v, ok := m.Get(t)
	if !ok {
		return netip.AddrPort{}, false
	}
	return parseAddress(v, isXOR(t), m.ID)
}

// Addresses reads every address of a type; ok is false when one is broken.
func (m *Message) Addresses(t AttributeType) (out []netip.AddrPort, ok bool) {
	for _, a := range m.Attributes {
		if a.Type != t {
			continue
		}
		addr, ok := parseAddress(a.Value, isXOR(t), m.ID)
		if !ok {
			return nil, false
		}
		out = append(out, addr)
	}
	return out, true
}

// Lifetime reads LIFETIME.
func (m *Message) Lifetime() (time.Duration, bool) {
	v, ok := m.Get(AttrLifetime)
	if !ok || len(v) != 4 {
		return 0, false
	}
	return time.Duration(binary.BigEndian.Uint32(v)) * time.Second, true
}

// Channel reads CHANNEL-NUMBER.
func (m *Message) Channel() (uint16, bool) {
	v, ok := m.Get(AttrChannelNumber)
	if !ok || len(v) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint16(v), true
}

// ErrorCode reads ERROR-CODE; 0 without it. Padding inside the reason is cut.
func (m *Message) ErrorCode() (code int, reason string) {
	v, ok := m.Get(AttrErrorCode)
	if !ok || len(v) < 4 {
		return 0, ""
	}
	return int(v[2]&7)*100 + int(v[3]), strings.TrimRight(string(v[4:]), "\x00")
}
