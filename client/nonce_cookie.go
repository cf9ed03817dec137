package client

import (
	"bytes"
	"strings"
)

// features are the STUN security features of a nonce cookie.
type features struct {
	algorithms bool // "Password algorithms": PASSWORD-ALGORITHMS must be there
	anonymity  bool // "Username anonymity": USERHASH is understood
}

const (
	cookieStart = "obMatJos2"
	base64Bits  = 4 // characters: 24 bits
	base64Set   = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
)

// featuresOf reads the nonce cookie:
//
//	"a server MUST prepend the NONCE attribute value with the character string
//	composed of "obMatJos2" concatenated with the (4-character) base64 [RFC4648]
//	encoding of the 24-bit STUN Security Features"
//
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2
//
// The text numbers the bits from the left, erratum 6290 and the vector of
// appendix B.1 from the right, and servers do either: both are read.
func featuresOf(nonce []byte) (f features) {
	rest, ok := bytes.CutPrefix(nonce, []byte(cookieStart))
	if !ok || len(rest) < base64Bits {
		return f
	}
	bits := 0
	for _, b := range rest[:base64Bits] {
		digit := strings.IndexByte(base64Set, b)
		if digit < 0 {
			return f
		}
		bits = bits<<6 | digit
	}
	return features{algorithms: bits&0x800001 != 0, anonymity: bits&0x400002 != 0}
}
