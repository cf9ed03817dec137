package turntest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

const integrity256Size = 4 + sha256.Size

// The password algorithms of RFC 8489 section 18.5.
const (
	AlgorithmMD5    uint16 = 1
	AlgorithmSHA256 uint16 = 2
)

// LongTermKey256 is the key that a password has under SHA-256.
//
// "key = SHA-256(username ":" OpaqueString(realm) ":" OpaqueString(password))"
// https://www.rfc-editor.org/rfc/rfc8489#section-18.5.1.2
func LongTermKey256(username, realm, password string) []byte {
	sum := sha256.Sum256([]byte(username + ":" + realm + ":" + password))
	return sum[:]
}

// Userhash is what USERHASH carries.
//
// "userhash = SHA-256(OpaqueString(username) ":" OpaqueString(realm))"
// https://www.rfc-editor.org/rfc/rfc8489#section-14.4
func Userhash(username, realm string) []byte {
	sum := sha256.Sum256([]byte(username + ":" + realm))
	return sum[:]
}

// Integrity256 adds MESSAGE-INTEGRITY-SHA256, over everything before it.
func (b *Builder) Integrity256(key []byte) *Builder {
	b.setLength(len(b.raw) + integrity256Size)
	h := hmac.New(sha256.New, key)
	h.Write(b.raw)
	return b.Bytes(AttrMessageIntegritySHA256, h.Sum(nil))
}

// Algorithms adds PASSWORD-ALGORITHMS, each without parameters.
func (b *Builder) Algorithms(list ...uint16) *Builder {
	return b.Bytes(AttrPasswordAlgorithms, algorithmList(list))
}

func algorithmList(list []uint16) (value []byte) {
	for _, a := range list {
		value = binary.BigEndian.AppendUint16(value, a)
		value = binary.BigEndian.AppendUint16(value, 0)
	}
	return value
}

// Algorithm reads PASSWORD-ALGORITHM; 0 without it, or with parameters.
func (m *Message) Algorithm() uint16 {
	v, ok := m.Get(AttrPasswordAlgorithm)
	if !ok || len(v) != 4 || v[2] != 0 || v[3] != 0 {
		return 0
	}
	return binary.BigEndian.Uint16(v)
}

// Verify256 reports whether MESSAGE-INTEGRITY-SHA256 is there, whole, and right
// under the key.
func (m *Message) Verify256(key []byte) bool {
	value, ok := m.Get(AttrMessageIntegritySHA256)
	if !ok || len(key) == 0 || len(value) != sha256.Size {
		return false
	}
	text := append([]byte(nil), m.raw[:m.integrity256At]...)
	binary.BigEndian.PutUint16(text[2:], uint16(m.integrity256At+integrity256Size-headerSize))
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return hmac.Equal(value, h.Sum(nil))
}

// By reports whether the request names the user, by USERNAME or by USERHASH.
func (m *Message) By(username string) bool {
	if hash, ok := m.Get(AttrUserhash); ok {
		return bytes.Equal(hash, Userhash(username, bareText(m.Text(AttrRealm))))
	}
	return m.Text(AttrUsername) == username
}

// KeyOf is the key that the request's own attributes make of a password.
func (m *Message) KeyOf(username, password string) []byte {
	realm := bareText(m.Text(AttrRealm))
	if m.Algorithm() == AlgorithmSHA256 {
		return LongTermKey256(username, realm, password)
	}
	return LongTermKey(username, realm, password)
}
