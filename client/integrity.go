package client

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"

	"github.com/pion/stun/v3"
)

const (
	integritySize    = 4 + 20          // MESSAGE-INTEGRITY
	integritySize256 = 4 + sha256.Size // MESSAGE-INTEGRITY-SHA256
)

// addIntegrity256 adds MESSAGE-INTEGRITY-SHA256:
//
//	"The text used as input to HMAC is the STUN message, up to and including the
//	attribute preceding the MESSAGE-INTEGRITY-SHA256 attribute. The Length field
//	of the STUN message header is adjusted to point to the end of the
//	MESSAGE-INTEGRITY-SHA256 attribute."
//
// https://www.rfc-editor.org/rfc/rfc8489#section-14.6
func addIntegrity256(m *stun.Message, key []byte) {
	sum := integrity256(key, m.Raw)
	addBytes(m, stun.AttrMessageIntegritySHA256, sum[:])
}

// integrity256 is the HMAC of a message that ends where its
// MESSAGE-INTEGRITY-SHA256 begins.
func integrity256(key, message []byte) [sha256.Size]byte {
	var head [stunHeader]byte
	copy(head[:], message)
	binary.BigEndian.PutUint16(head[2:], uint16(len(message)-stunHeader+integritySize256))
	return hmacSHA256(key, head[:], message[stunHeader:])
}

// hmacSHA256 is HMAC (RFC 2104) by SHA-256. Package crypto/hmac, which does the
// same, brings every other hash with it, and keeps what it makes of the key.
func hmacSHA256(key []byte, parts ...[]byte) (sum [sha256.Size]byte) {
	var pad [sha256.BlockSize]byte
	if len(key) > len(pad) {
		hashed := sha256.Sum256(key)
		copy(pad[:], hashed[:])
	} else {
		copy(pad[:], key)
	}
	h := sha256.New()
	mask(&pad, 0x36)
	h.Write(pad[:])
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(sum[:0])
	h.Reset()
	mask(&pad, 0x36^0x5c)
	h.Write(pad[:])
	h.Write(sum[:])
	h.Sum(sum[:0])
	h.Reset()
	clear(pad[:])
	return sum
}

func mask(pad *[sha256.BlockSize]byte, with byte) {
	for i := range pad {
		pad[i] ^= with
	}
}

// verifies256 says whether the MESSAGE-INTEGRITY-SHA256 is there, whole, and
// right: "The value must be the full 32 bytes unless the STUN Usage explicitly
// specifies that truncation is allowed."
// https://www.rfc-editor.org/rfc/rfc8489#section-14.6
func (m *message) verifies256(key []byte) bool {
	attr, ok := m.Attributes.Get(stun.AttrMessageIntegritySHA256)
	if !ok {
		return false
	}
	sum := integrity256(key, m.Raw[:m.integrity256At])
	return subtle.ConstantTimeCompare(sum[:], attr.Value) == 1 // 0 where the lengths differ
}
