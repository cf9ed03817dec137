package client

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
)

// passwordAlgorithm is how a key is derived from a password (RFC 8489 section
// 18.5). 0 is none.
type passwordAlgorithm uint16

const (
	algorithmMD5    passwordAlgorithm = 1
	algorithmSHA256 passwordAlgorithm = 2
)

// chooseAlgorithm picks of a PASSWORD-ALGORITHMS value: SHA-256 wherever it is
// listed, else MD5; 0 when the list has neither, or is broken or too long to be
// echoed in every request.
//
//	"The attribute contains a list of algorithm numbers and variable length
//	parameters."
//
// https://www.rfc-editor.org/rfc/rfc8489#section-14.11
//
// Both have no parameters: an entry that has some is another algorithm.
func chooseAlgorithm(list []byte) (best passwordAlgorithm) {
	if len(list) > maxAlgorithms {
		return 0
	}
	for len(list) > 0 {
		if len(list) < 4 {
			return 0
		}
		a, n := passwordAlgorithm(binary.BigEndian.Uint16(list)), int(binary.BigEndian.Uint16(list[2:]))
		if padded := 4 + (n+3)&^3; padded <= len(list) {
			list = list[padded:]
		} else if 4+n == len(list) {
			list = nil // the padding of the last one may be taken for the attribute's
		} else {
			return 0
		}
		if n == 0 && (a == algorithmMD5 || a == algorithmSHA256) {
			best = max(best, a)
		}
	}
	return best
}

// attribute is the value of PASSWORD-ALGORITHM: the number, and no parameters.
func (a passwordAlgorithm) attribute() []byte { return []byte{byte(a >> 8), byte(a), 0, 0} }

// longTermKey is
//
//	"key = MD5(username ":" OpaqueString(realm) ":" OpaqueString(password))"
//
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.2
//
// The joined text does not outlive the call.
func longTermKey(username, realm, password []byte) [md5.Size]byte {
	text := joined(username, realm, password)
	defer clear(text)
	return md5.Sum(text)
}

// longTermKey256 is
//
//	"key = SHA-256(username ":" OpaqueString(realm) ":" OpaqueString(password))"
//
// https://www.rfc-editor.org/rfc/rfc8489#section-18.5.1.2
func longTermKey256(username, realm, password []byte) [sha256.Size]byte {
	text := joined(username, realm, password)
	defer clear(text)
	return sha256.Sum256(text)
}

// joined are the parts with a colon between each two.
func joined(parts ...[]byte) []byte {
	size := len(parts) - 1
	for _, p := range parts {
		size += len(p)
	}
	text := make([]byte, 0, size)
	for i, p := range parts {
		if i > 0 {
			text = append(text, ':')
		}
		text = append(text, p...)
	}
	return text
}
