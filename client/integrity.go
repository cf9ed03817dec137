package client

import (
	"crypto/hmac"
	"crypto/sha256"
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
	var sum [sha256.Size]byte
	integrity256(sum[:0], key, m.Raw)
	addBytes(m, stun.AttrMessageIntegritySHA256, sum[:])
}

// integrity256 appends the HMAC of a message that ends where its
// MESSAGE-INTEGRITY-SHA256 begins.
func integrity256(to, key, message []byte) []byte {
	var head [stunHeader]byte
	copy(head[:], message)
	binary.BigEndian.PutUint16(head[2:], uint16(len(message)-stunHeader+integritySize256))
	h := hmac.New(sha256.New, key)
	h.Write(head[:])
	h.Write(message[stunHeader:])
	return h.Sum(to)
}

// verifies256 says whether the MESSAGE-INTEGRITY-SHA256 is there, whole, and
// right: "The value must be the full 32 bytes unless the STUN Usage explicitly
// specifies that truncation is allowed."
// https://www.rfc-editor.org/rfc/rfc8489#section-14.6
func (m *message) verifies256(key []byte) bool {
	attr, ok := m.Attributes.Get(stun.AttrMessageIntegritySHA256)
	if !ok || len(attr.Value) != sha256.Size {
		return false
	}
	var sum [sha256.Size]byte
	integrity256(sum[:0], key, m.Raw[:m.integrity256At])
	return hmac.Equal(sum[:], attr.Value)
}
