package hosttest

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Message types of RFC 8656 section 17 with the class of RFC 8489 section 5.
const (
	BindingRequest     = 0x0001
	BindingSuccess     = 0x0101
	AllocateRequest    = 0x0003
	AllocateSuccess    = 0x0103
	AllocateError      = 0x0113
	BindingIndication  = 0x0011
	RefreshRequest     = 0x0004
	RefreshSuccess     = 0x0104
	RefreshError       = 0x0114
	PermissionError    = 0x0118
	ChannelBindError   = 0x0119
	SendIndication     = 0x0016
	DataIndication     = 0x0017
	PermissionRequest  = 0x0008
	PermissionSuccess  = 0x0108
	ChannelBindRequest = 0x0009
	ChannelBindSuccess = 0x0109
)

// Attributes that this package reads or writes.
const (
	attrUsername           = 0x0006
	attrMessageIntegrity   = 0x0008
	attrErrorCode          = 0x0009
	attrLifetime           = 0x000D
	attrRealm              = 0x0014
	attrNonce              = 0x0015
	attrRelayed            = 0x0016
	attrRequestedTransport = 0x0019
	attrIntegritySHA256    = 0x001C
)

const magicCookie = 0x2112A442

// Message is one datagram, read by a few lines that know nothing of the client.
// Only Data is set when the datagram is not STUN.
type Message struct {
	Data     []byte
	STUN     bool
	Type     uint16
	ID       [12]byte
	Channel  uint16 // of ChannelData, else 0
	Signed   bool   // carries MESSAGE-INTEGRITY; nothing verifies it
	SHA256   bool   // carries MESSAGE-INTEGRITY-SHA256
	Code     int    // ERROR-CODE
	Lifetime int    // LIFETIME in seconds, -1 = none
	Username string
	Realm    string
	Nonce    string
	Relayed  netip.AddrPort // XOR-RELAYED-ADDRESS
}

// IsRelease: a Refresh request with LIFETIME 0.
func (m *Message) IsRelease() bool { return m.Type == RefreshRequest && m.Lifetime == 0 }

// IsRefresh: a Refresh request that is not a release.
func (m *Message) IsRefresh() bool { return m.Type == RefreshRequest && m.Lifetime != 0 }

// String is a line for people: method, class, code, lifetime, signed or not.
func (m *Message) String() string {
	if m.Channel != 0 {
		return fmt.Sprintf("ChannelData 0x%04x, %d bytes", m.Channel, len(m.Data))
	}
	if !m.STUN {
		return fmt.Sprintf("%d bytes that are not STUN", len(m.Data))
	}
	s := methodNames[m.Type&^0x0110] + classNames[m.Type&0x0110]
	if m.Code != 0 {
		s += fmt.Sprintf(" %d", m.Code)
	}
	if m.Lifetime >= 0 {
		s += fmt.Sprintf(" lifetime=%d", m.Lifetime)
	}
	if m.Signed {
		s += " signed"
	}
	return s
}

var methodNames = map[uint16]string{
	0x0001: "Binding", 0x0003: "Allocate", 0x0004: "Refresh", 0x0006: "Send",
	0x0007: "Data", 0x0008: "CreatePermission", 0x0009: "ChannelBind",
}

var classNames = map[uint16]string{
	0x0000: " request", 0x0010: " indication", 0x0100: " success", 0x0110: " error",
}

// Decode reads a datagram. It never fails: what it cannot read it leaves zero.
func Decode(data []byte) *Message {
	m := &Message{Data: data, Lifetime: -1}
	if len(data) >= 4 && data[0] >= 0x40 && data[0] <= 0x4F {
		m.Channel = binary.BigEndian.Uint16(data)
		return m
	}
	if len(data) < 20 || data[0] > 3 || binary.BigEndian.Uint32(data[4:]) != magicCookie {
		return m
	}
	m.STUN = true
	m.Type = binary.BigEndian.Uint16(data)
	copy(m.ID[:], data[8:20])
	for rest := data[20:]; len(rest) >= 4; {
		n := int(binary.BigEndian.Uint16(rest[2:]))
		if len(rest) < 4+n {
			break
		}
		m.take(binary.BigEndian.Uint16(rest), rest[4:4+n])
		rest = rest[min(len(rest), 4+(n+3)/4*4):]
	}
	return m
}

func (m *Message) take(attr uint16, v []byte) {
	switch {
	case attr == attrUsername:
		m.Username = string(v)
	case attr == attrRealm:
		m.Realm = string(v)
	case attr == attrNonce:
		m.Nonce = string(v)
	case attr == attrMessageIntegrity:
		m.Signed = true
	case attr == attrIntegritySHA256:
		m.SHA256 = true
	case attr == attrErrorCode && len(v) >= 4:
		m.Code = int(v[2]&7)*100 + int(v[3])
	case attr == attrLifetime && len(v) == 4:
		m.Lifetime = int(binary.BigEndian.Uint32(v))
	case attr == attrRelayed:
		m.Relayed = xorAddress(v, m.Data[4:20])
	}
}

// xorAddress reads an XOR-...-ADDRESS (RFC 8489 section 14.2); mask is the
// magic cookie followed by the transaction ID.
func xorAddress(v, mask []byte) netip.AddrPort {
	if len(v) != 8 && len(v) != 20 {
		return netip.AddrPort{}
	}
	port := binary.BigEndian.Uint16(v[2:]) ^ uint16(magicCookie>>16)
	ip := bytes.Clone(v[4:])
	for i := range ip {
		ip[i] ^= mask[i]
	}
	addr, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(addr, port)
}

// builder writes a message.
type builder struct{ b []byte }

func newMessage(typ uint16, id [12]byte) *builder {
	b := binary.BigEndian.AppendUint16(nil, typ)
	b = binary.BigEndian.AppendUint32(append(b, 0, 0), magicCookie)
	return &builder{append(b, id[:]...)}
}

func (m *builder) add(attr uint16, v []byte) *builder {
	m.b = binary.BigEndian.AppendUint16(m.b, attr)
	m.b = binary.BigEndian.AppendUint16(m.b, uint16(len(v)))
	m.b = append(m.b, v...)
	for len(m.b)%4 != 0 {
		m.b = append(m.b, 0)
	}
	binary.BigEndian.PutUint16(m.b[2:], uint16(len(m.b)-20))
	return m
}

func (m *builder) addUint32(attr uint16, v uint32) *builder {
	return m.add(attr, binary.BigEndian.AppendUint32(nil, v))
}

func (m *builder) addError(code int, reason string) *builder {
	return m.add(attrErrorCode, append([]byte{0, 0, byte(code / 100), byte(code % 100)}, reason...))
}

// sign adds MESSAGE-INTEGRITY: HMAC-SHA1 over what stands in front of it, with
// the length field counting the attribute (RFC 8489 section 14.5).
func (m *builder) sign(key []byte) *builder {
	binary.BigEndian.PutUint16(m.b[2:], uint16(len(m.b)-20+24))
	mac := hmac.New(sha1.New, key)
	mac.Write(m.b)
	return m.add(attrMessageIntegrity, mac.Sum(nil))
}

// longTermKey is RFC 8489 section 9.2.2: MD5(username ":" realm ":" password).
func longTermKey(username, realm, password string) []byte {
	sum := md5.Sum([]byte(username + ":" + realm + ":" + password))
	return sum[:]
}
