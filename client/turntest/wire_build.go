package turntest

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Builder writes a STUN message attribute by attribute.
type Builder struct {
	raw []byte
	id  TransactionID
}

// Build starts a message.
func Build(method Method, class Class, id TransactionID) *Builder {
	b := &Builder{raw: make([]byte, headerSize, 160), id: id}
	binary.BigEndian.PutUint16(b.raw, joinType(method, class))
	binary.BigEndian.PutUint32(b.raw[4:], magicCookie)
	copy(b.raw[8:], id[:])
	return b
}

// Bytes adds an attribute with its value as it is.
func (b *Builder) Bytes(t AttributeType, value []byte) *Builder {
	b.raw = binary.BigEndian.AppendUint16(b.raw, uint16(t))
	b.raw = binary.BigEndian.AppendUint16(b.raw, uint16(len(value)))
	b.raw = append(b.raw, value...)
	b.raw = append(b.raw, make([]byte, padding(len(value)))...)
	b.setLength(len(b.raw))
	return b
}

// setLength writes the header's length as though the message ended at end.
func (b *Builder) setLength(end int) {
	binary.BigEndian.PutUint16(b.raw[2:], uint16(end-headerSize))
}

// Text adds USERNAME, REALM, NONCE, SOFTWARE and the like.
func (b *Builder) Text(t AttributeType, s string) *Builder { return b.Bytes(t, []byte(s)) }

// Address adds an address, XORed where the attribute's name says so.
func (b *Builder) Address(t AttributeType, a netip.AddrPort) *Builder {
	return b.Bytes(t, appendAddress(nil, a, isXOR(t), b.id))
}

// Lifetime adds LIFETIME in whole seconds.
func (b *Builder) Lifetime(d time.Duration) *Builder {
	return b.Bytes(AttrLifetime, binary.BigEndian.AppendUint32(nil, uint32(d/time.Second)))
}

// Channel adds CHANNEL-NUMBER.
func (b *Builder) Channel(number uint16) *Builder {
	return b.Bytes(AttrChannelNumber, []byte{byte(number >> 8), byte(number), 0, 0})
}

// Transport adds REQUESTED-TRANSPORT; UDP is 17.
func (b *Builder) Transport(protocol byte) *Builder {
	return b.Bytes(AttrRequestedTransport, []byte{protocol, 0, 0, 0})
}

// Family adds REQUESTED-ADDRESS-FAMILY: 1 for IPv4, 2 for IPv6.
func (b *Builder) Family(family byte) *Builder {
	return b.Bytes(AttrRequestedAddressFamily, []byte{family, 0, 0, 0})
}

// Error adds ERROR-CODE.
// https://www.rfc-editor.org/rfc/rfc8489#section-14.8
func (b *Builder) Error(code int, reason string) *Builder {
	value := append([]byte{0, 0, byte(code / 100), byte(code % 100)}, reason...)
	return b.Bytes(AttrErrorCode, value)
}

// UnknownAttributes adds the list that a 420 carries.
func (b *Builder) UnknownAttributes(types []AttributeType) *Builder {
	var value []byte
	for _, t := range types {
		value = binary.BigEndian.AppendUint16(value, uint16(t))
	}
	return b.Bytes(AttrUnknownAttributes, value)
}

// ICMP adds the ICMP attribute of a Data indication: two reserved bytes, 7 bits
// of type, 9 of code, 4 bytes of data.
// https://www.rfc-editor.org/rfc/rfc8656#section-18.13
func (b *Builder) ICMP(icmpType, code uint8, data [4]byte) *Builder {
	value := binary.BigEndian.AppendUint16([]byte{0, 0}, uint16(icmpType)<<9|uint16(code))
	return b.Bytes(AttrICMP, append(value, data[:]...))
}

// Datagram is the message as it stands.
func (b *Builder) Datagram() []byte { return b.raw }
