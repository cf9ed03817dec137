package client

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/pion/stun/v3"
)

const (
	messageHeader = 20 // RFC 8489 section 5

	// oldXORMapped is XOR-MAPPED-ADDRESS as old servers number it
	// (draft-ietf-behave-rfc3489bis-02).
	oldXORMapped stun.AttrType = 0x8020
)

// message is a STUN message from the server, as far as it may be believed:
// what stands behind the integrity attribute is not there.
type message struct {
	stun.Message
	integrity      bool // MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 is there
	unknown        bool // an attribute that must be understood and is not
	integrity256At int  // where the first MESSAGE-INTEGRITY-SHA256 begins; 0 = none
}

// parse reads a datagram. attrs is room for its attributes. It answers false
// for what is not one whole STUN message; broken tells a bad FINGERPRINT.
func (m *message) parse(data []byte, attrs []stun.RawAttribute) (ok, badFingerprint bool) {
	// Checking an HMAC appends to Raw: its capacity ends with the datagram.
	m.Raw = data[:len(data):len(data)]
	m.Attributes = attrs[:0]
	if !m.decode() {
		return false, false
	}
	if m.Contains(stun.AttrFingerprint) && stun.Fingerprint.Check(&m.Message) != nil {
		return false, true
	}
	m.Attributes = trusted(m.Attributes)
	for _, a := range m.Attributes {
		m.integrity = m.integrity || isIntegrity(a.Type)
		m.unknown = m.unknown || a.Type.Required() && !understood(a.Type)
	}
	return true, false
}

// decode reads Raw, which is one whole message or refused. It is what
// stun.Message.Decode does, but for the texts of its errors: package fmt, which
// writes them, would be a tenth of the WebAssembly module.
func (m *message) decode() bool {
	b := m.Raw
	if len(b) < messageHeader || binary.BigEndian.Uint32(b[4:]) != magicCookie {
		return false
	}
	m.Type.ReadValue(binary.BigEndian.Uint16(b))
	m.Length = uint32(binary.BigEndian.Uint16(b[2:]))
	copy(m.TransactionID[:], b[8:])
	b = b[messageHeader:]
	if int(m.Length) != len(b) || len(b)%4 != 0 {
		return false
	}
	for len(b) > 0 {
		a := stun.RawAttribute{Type: stun.AttrType(binary.BigEndian.Uint16(b)), Length: binary.BigEndian.Uint16(b[2:])}
		if a.Type == oldXORMapped {
			a.Type = stun.AttrXORMappedAddress
		}
		m.noteIntegrity256(a.Type, len(m.Raw)-len(b))
		b = b[4:]
		padded := (int(a.Length) + 3) &^ 3
		if padded > len(b) {
			return false
		}
		a.Value = b[:a.Length]
		b = b[padded:]
		m.Attributes = append(m.Attributes, a)
	}
	return true
}

func (m *message) noteIntegrity256(t stun.AttrType, at int) {
	if t == stun.AttrMessageIntegritySHA256 && m.integrity256At == 0 {
		m.integrity256At = at
	}
}

// trusted cuts the list behind the first integrity attribute:
//
//	"agents MUST ignore all attributes that follow MESSAGE-INTEGRITY, with the
//	exception of the MESSAGE-INTEGRITY-SHA256 and FINGERPRINT attributes."
//
// https://www.rfc-editor.org/rfc/rfc8489#section-9
func trusted(attrs stun.Attributes) stun.Attributes {
	for i, a := range attrs {
		if !isIntegrity(a.Type) {
			continue
		}
		for _, later := range attrs[i+1:] {
			if a.Type == stun.AttrMessageIntegrity && later.Type == stun.AttrMessageIntegritySHA256 {
				attrs[i+1] = later
				return attrs[:i+2]
			}
		}
		return attrs[:i+1]
	}
	return attrs
}

func isIntegrity(t stun.AttrType) bool {
	return t == stun.AttrMessageIntegrity || t == stun.AttrMessageIntegritySHA256
}

// understood lists the comprehension-required attributes that we know, and so
// ignore where they are not expected.
func understood(t stun.AttrType) bool {
	switch t {
	case stun.AttrMappedAddress, stun.AttrUsername, stun.AttrMessageIntegrity,
		stun.AttrErrorCode, stun.AttrUnknownAttributes, stun.AttrChannelNumber,
		stun.AttrLifetime, stun.AttrXORPeerAddress, stun.AttrData, stun.AttrRealm,
		stun.AttrNonce, stun.AttrXORRelayedAddress, stun.AttrRequestedAddressFamily,
		stun.AttrEvenPort, stun.AttrRequestedTransport, stun.AttrDontFragment,
		stun.AttrMessageIntegritySHA256, stun.AttrPasswordAlgorithm, stun.AttrUserhash,
		stun.AttrXORMappedAddress, stun.AttrReservationToken, stun.AttrConnectionID, attrAccessToken:
		return true
	}
	return false
}

// signedBy says whether the message carries the credential's integrity, of the
// kind that the credential's own requests carry.
func (m *message) signedBy(cr *credential) bool {
	switch {
	case cr == nil || !m.integrity:
		return false
	case cr.terms().algorithm != 0:
		return m.verifies256(cr.secret())
	}
	return stun.MessageIntegrity(cr.secret()).Check(&m.Message) == nil
}

// challenge reads REALM, NONCE and PASSWORD-ALGORITHMS; texts that are too long
// are as if absent.
func (m *message) challenge() challenge {
	list, listed := m.Attributes.Get(stun.AttrPasswordAlgorithms)
	return challenge{realm: m.text(stun.AttrRealm), nonce: m.text(stun.AttrNonce), list: list.Value, listed: listed}
}

func (m *message) text(t stun.AttrType) []byte {
	attr, _ := m.Attributes.Get(t)
	if len(attr.Value) > maxText {
		return nil
	}
	return attr.Value
}

// verdict reads ERROR-CODE. Code 0 says that it is missing or senseless.
func (m *message) verdict() verdict {
	var attr stun.ErrorCodeAttribute
	raw, _ := m.Attributes.Get(stun.AttrErrorCode)
	if attr.GetFrom(&m.Message) != nil || attr.Code < 300 || attr.Code > 699 || raw.Value[3] > 99 {
		return verdict{reason: "error response without a valid ERROR-CODE"}
	}
	if m.unknown {
		return verdict{reason: "error response with an attribute that is not understood"}
	}
	return verdict{code: int(attr.Code), reason: printable(attr.Reason), fragment: m.names(stun.AttrDontFragment), alternate: m.alternate(int(attr.Code))}
}

// names says whether UNKNOWN-ATTRIBUTES lists the attribute.
func (m *message) names(t stun.AttrType) bool {
	list, _ := m.Attributes.Get(stun.AttrUnknownAttributes)
	for v := list.Value; len(v) >= 2; v = v[2:] {
		if stun.AttrType(binary.BigEndian.Uint16(v)) == t {
			return true
		}
	}
	return false
}

// printable makes a reason phrase fit for a log: some servers pad it with NULs,
// an attacker may put anything there.
func printable(phrase []byte) string {
	out := make([]byte, 0, min(len(phrase), maxReason))
	for _, b := range phrase {
		if b == 0 || len(out) == maxReason {
			break
		}
		if b < ' ' || b > '~' {
			b = '?'
		}
		out = append(out, b)
	}
	return string(out)
}

// verdict is what ended a request, or would: a STUN error, or with code 0 a
// cause of our own.
type verdict struct {
	code    int
	reason  string
	signed  bool
	bare    bool // 401 without a challenge
	refused bool // the challenge is not answered, for a reason of our own

	alternate *alternate // of a 300
	fragment  bool       // it names DONT-FRAGMENT as unknown
}

// text is the verdict in words.
func (v verdict) text() string {
	if v.code == 0 {
		return v.reason
	}
	return strings.TrimSpace(strconv.Itoa(v.code) + " " + v.reason)
}
