package turntest

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/binary"
	"hash/crc32"
)

const (
	integritySize   = 4 + sha1.Size
	fingerprintSize = 8
	fingerprintXOR  = 0x5354554e
)

// LongTermKey is the key of the long-term credential mechanism.
//
// "key = MD5(username ":" OpaqueString(realm) ":" OpaqueString(password))"
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.2
func LongTermKey(username, realm, password string) []byte {
	sum := md5.Sum([]byte(username + ":" + realm + ":" + password))
	return sum[:]
}

// Integrity adds MESSAGE-INTEGRITY, over everything before it.
func (b *Builder) Integrity(key []byte) *Builder {
	b.setLength(len(b.raw) + integritySize)
	return b.Bytes(AttrMessageIntegrity, sign(key, b.raw))
}

// Fingerprint adds FINGERPRINT, over everything before it.
func (b *Builder) Fingerprint() *Builder {
	b.setLength(len(b.raw) + fingerprintSize)
	sum := crc32.ChecksumIEEE(b.raw) ^ fingerprintXOR
	return b.Bytes(AttrFingerprint, binary.BigEndian.AppendUint32(nil, sum))
}

func sign(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha1.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// Signed reports whether there is a MESSAGE-INTEGRITY, of either kind.
func (m *Message) Signed() bool { return m.integrityAt != 0 || m.integrity256At != 0 }

// Verify reports whether the message's integrity is right under the key: that
// of MESSAGE-INTEGRITY-SHA256 where it is there, else that of MESSAGE-INTEGRITY.
func (m *Message) Verify(key []byte) bool {
	if m.integrity256At != 0 {
		return m.Verify256(key)
	}
	return m.verify1(key)
}

// verify1 judges MESSAGE-INTEGRITY.
//
// "The Length field of the STUN message header is adjusted to point to the end
// of the MESSAGE-INTEGRITY attribute."
// https://www.rfc-editor.org/rfc/rfc8489#section-14.5
func (m *Message) verify1(key []byte) bool {
	value, ok := m.Get(AttrMessageIntegrity)
	if !ok || len(key) == 0 {
		return false
	}
	var head [headerSize]byte
	copy(head[:], m.raw)
	binary.BigEndian.PutUint16(head[2:], uint16(m.integrityAt+integritySize-headerSize))
	return hmac.Equal(value, sign(key, head[:], m.raw[headerSize:m.integrityAt]))
}

// FingerprintRight reports whether FINGERPRINT is absent or right.
func (m *Message) FingerprintRight() bool {
	value, ok := m.Get(AttrFingerprint)
	if !ok {
		return true
	}
	sum := crc32.ChecksumIEEE(m.raw[:m.fingerAt]) ^ fingerprintXOR
	return len(value) == 4 && binary.BigEndian.Uint32(value) == sum
}
