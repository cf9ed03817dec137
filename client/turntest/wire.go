package turntest

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The STUN header: type, length, magic cookie, transaction ID.
// https://www.rfc-editor.org/rfc/rfc8489#section-5
const (
	headerSize  = 20
	magicCookie = 0x2112A442
)

// TransactionID pairs a response with its request.
type TransactionID [12]byte

func (id TransactionID) String() string { return fmt.Sprintf("%x", id[:]) }

// Attribute is one type-length-value of a message. Value is a part of the
// decoded datagram, without padding.
type Attribute struct {
	Type  AttributeType
	Value []byte
}

// Message is a decoded STUN message.
type Message struct {
	Method Method
	Class  Class
	ID     TransactionID
	// Attributes in wire order, up to and with MESSAGE-INTEGRITY and whatever
	// may follow it: an attribute that an attacker appended is not among them.
	Attributes []Attribute

	raw            []byte
	integrityAt    int // offset of the MESSAGE-INTEGRITY attribute; 0 = none
	integrity256At int // offset of the MESSAGE-INTEGRITY-SHA256 attribute; 0 = none
	fingerAt       int // offset of the FINGERPRINT attribute; 0 = none
}

// What Decode answers.
var (
	ErrNotSTUN   = errors.New("turntest: not a STUN message")
	ErrTruncated = errors.New("turntest: attribute runs past the message")
	ErrTrailing  = errors.New("turntest: attribute behind FINGERPRINT")
)

// IsSTUN reports whether a datagram's first byte makes it a STUN message:
// 0 to 3, where ChannelData has 64 to 79.
// https://www.rfc-editor.org/rfc/rfc8656#section-12-8
func IsSTUN(datagram []byte) bool { return len(datagram) > 0 && datagram[0] < 4 }

// Decode reads a STUN message. The result refers to the datagram's bytes.
func Decode(datagram []byte) (*Message, error) {
	if len(datagram) < headerSize || !IsSTUN(datagram) ||
		binary.BigEndian.Uint32(datagram[4:]) != magicCookie {
		return nil, ErrNotSTUN
	}
	length := int(binary.BigEndian.Uint16(datagram[2:]))
	// "the last 2 bits of this field are always zero"
	// https://www.rfc-editor.org/rfc/rfc8489#section-5
	if length%4 != 0 || length != len(datagram)-headerSize {
		return nil, ErrNotSTUN
	}
	m := &Message{raw: datagram, Attributes: make([]Attribute, 0, 12)}
	m.Method, m.Class = splitType(binary.BigEndian.Uint16(datagram))
	copy(m.ID[:], datagram[8:headerSize])
	return m, m.decodeAttributes()
}

func (m *Message) decodeAttributes() error {
	for at := headerSize; at < len(m.raw); {
		if len(m.raw)-at < 4 {
			return ErrTruncated
		}
		t := AttributeType(binary.BigEndian.Uint16(m.raw[at:]))
		n := int(binary.BigEndian.Uint16(m.raw[at+2:]))
		end := at + 4 + n
		if end > len(m.raw) {
			return ErrTruncated
		}
		if m.fingerAt != 0 {
			return ErrTrailing
		}
		if m.counts(t) {
			m.Attributes = append(m.Attributes, Attribute{t, m.raw[at+4 : end]})
			m.note(t, at)
		}
		at = end + padding(n)
	}
	return nil
}

// counts reports whether an attribute at this place is to be read at all.
//
// "Note that agents MUST ignore all attributes that follow MESSAGE-INTEGRITY,
// with the exception of the MESSAGE-INTEGRITY-SHA256 and FINGERPRINT
// attributes."
// https://www.rfc-editor.org/rfc/rfc8489#section-9
func (m *Message) counts(t AttributeType) bool {
	if m.integrity256At != 0 {
		return t == AttrFingerprint
	}
	return m.integrityAt == 0 || t == AttrMessageIntegritySHA256 || t == AttrFingerprint
}

func (m *Message) note(t AttributeType, at int) {
	switch t {
	case AttrMessageIntegrity:
		m.integrityAt = at
	case AttrMessageIntegritySHA256:
		m.integrity256At = at
	case AttrFingerprint:
		m.fingerAt = at
	}
}

// Get finds the first attribute of a type.
func (m *Message) Get(t AttributeType) (value []byte, ok bool) {
	for _, a := range m.Attributes {
		if a.Type == t {
			return a.Value, true
		}
	}
	return nil, false
}

// Has reports whether there is an attribute of a type.
func (m *Message) Has(t AttributeType) bool { _, ok := m.Get(t); return ok }

// Unknown lists the comprehension-required attributes that this package does
// not know.
func (m *Message) Unknown() []AttributeType {
	var out []AttributeType
	for _, a := range m.Attributes {
		if _, known := attributeNames[a.Type]; !known && a.Type < 0x8000 {
			out = append(out, a.Type)
		}
	}
	return out
}

// splitType takes the class's two bits out of the method's twelve.
// https://www.rfc-editor.org/rfc/rfc8489#section-5-6
func splitType(t uint16) (Method, Class) {
	class := t>>7&2 | t>>4&1
	method := t>>2&0xF80 | t>>1&0x70 | t&0xF
	return Method(method), Class(class)
}

func joinType(m Method, c Class) uint16 {
	v := uint16(m)
	return v&0xF80<<2 | v&0x70<<1 | v&0xF | uint16(c)&2<<7 | uint16(c)&1<<4
}

func padding(n int) int { return -n & 3 }
