package turntest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
)

// newNonce is a value that was never given before, with the cookie of RFC 8489
// where the server has anything to promise.
//
// "a server MUST prepend the NONCE attribute value with the character string
// composed of "obMatJos2" concatenated with the (4-character) base64 [RFC4648]
// encoding of the 24-bit STUN Security Features"
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2
func (s *Server) newNonce() string {
	s.nonceSeq++
	return s.cookie() + fmt.Sprintf("n%d", s.nonceSeq)
}

func (s *Server) cookie() string {
	if len(s.cfg.Algorithms) == 0 && !s.cfg.Anonymity {
		return ""
	}
	var bits [3]byte
	at, algorithms, anonymity := 0, byte(0x80), byte(0x40)
	if s.cfg.BitsFromRight {
		at, algorithms, anonymity = 2, 1, 2
	}
	if len(s.cfg.Algorithms) > 0 {
		bits[at] |= algorithms
	}
	if s.cfg.Anonymity {
		bits[at] |= anonymity
	}
	return "obMatJos2" + base64.StdEncoding.EncodeToString(bits[:])
}

// checkAlgorithms: "unless (1) PASSWORD-ALGORITHM and PASSWORD-ALGORITHMS are
// both present, (2) PASSWORD-ALGORITHMS matches the value sent in the response
// that sent this NONCE, and (3) PASSWORD-ALGORITHM matches one of the entries in
// PASSWORD-ALGORITHMS, the server MUST generate an error response with an error
// code of 400 (Bad Request)."
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.4
func (x *exchange) checkAlgorithms() bool {
	list, listed := x.m.Get(AttrPasswordAlgorithms)
	if len(x.s.cfg.Algorithms) == 0 || !listed && !x.m.Has(AttrPasswordAlgorithm) {
		return true // as though it were MD5
	}
	if bytes.Equal(list, algorithmList(x.s.cfg.Algorithms)) && slices.Contains(x.s.cfg.Algorithms, x.m.Algorithm()) {
		return true
	}
	x.refuse(400)
	return false
}

// user is the username of the request: in USERNAME, or behind USERHASH where the
// server takes that.
func (x *exchange) user() (name string, ok bool) {
	hash, hashed := x.m.Get(AttrUserhash)
	if !hashed {
		return x.m.Text(AttrUsername), x.m.Has(AttrUsername)
	}
	if !x.s.cfg.Anonymity {
		return "", false
	}
	for u := range x.s.cfg.Users {
		if bytes.Equal(hash, Userhash(u, x.s.cfg.Realm)) {
			return u, true
		}
	}
	return "", true
}

// keyOf is the key that the request's algorithm makes of a password, and whether
// its answers are signed by MESSAGE-INTEGRITY-SHA256: "unless the request was
// processed as though PASSWORD-ALGORITHM was MD5 (because the request contained
// neither PASSWORD-ALGORITHMS nor PASSWORD-ALGORITHM)."
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.4
func (x *exchange) keyOf(username, password string) (key []byte, modern bool) {
	modern = len(x.s.cfg.Algorithms) > 0 && x.m.Has(AttrPasswordAlgorithm)
	if modern && x.m.Algorithm() == AlgorithmSHA256 {
		return LongTermKey256(username, x.s.cfg.Realm, password), true
	}
	return LongTermKey(username, x.s.cfg.Realm, password), modern
}

// integrity signs the answer as the request was signed.
func (x *exchange) integrity(key []byte) {
	if x.modern {
		x.reply.Integrity256(key)
	} else {
		x.reply.Integrity(key)
	}
}
