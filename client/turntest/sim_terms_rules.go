package turntest

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// checkTerms is A2: once the server has signed an answer to a request of these
// terms, no later signature has weaker ones.
//
// "If the response contains a PASSWORD-ALGORITHMS attribute, all the subsequent
// requests MUST be authenticated using MESSAGE-INTEGRITY-SHA256 only."
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.5
func (a *actor) checkTerms(r *sentRequest) {
	switch {
	case r.copies > 1 || !r.Signed():
	case r.Algorithm() < a.algorithm:
		a.w.violate(a, "A2", "a %v signed by algorithm %d; the server has answered %d", r.Method, r.Algorithm(), a.algorithm)
	case r.Has(AttrMessageIntegritySHA256) != r.Has(AttrPasswordAlgorithm),
		r.Has(AttrPasswordAlgorithms) != r.Has(AttrPasswordAlgorithm),
		r.Has(AttrMessageIntegrity) == r.Has(AttrMessageIntegritySHA256),
		r.Has(AttrUsername) == r.Has(AttrUserhash):
		a.w.violate(a, "A2", "a %v whose attributes do not go together", r.Method)
	}
}

// noteTerms: a valid answer is the server's word for the request's terms.
func (a *actor) noteTerms(r *sentRequest) { a.algorithm = max(a.algorithm, r.Algorithm()) }

// weakens: a challenge that nobody may answer with such a signature, because it
// hides the list that its nonce promises, lists nothing that is known, or asks
// for less than the request had.
func weakens(challenge, request *Message) bool {
	list, listed := challenge.Get(AttrPasswordAlgorithms)
	best := uint16(0)
	for ; len(list) >= 4; list = list[4:] {
		if a := binary.BigEndian.Uint16(list); a == AlgorithmMD5 || a == AlgorithmSHA256 {
			best = max(best, a)
		}
	}
	if listed && best == 0 || best < request.Algorithm() {
		return true
	}
	return !listed && promisesAlgorithms(challenge.Text(AttrNonce))
}

func promisesAlgorithms(nonce string) bool {
	rest, ok := strings.CutPrefix(nonce, "obMatJos2")
	if !ok || len(rest) < 4 {
		return false
	}
	bits, err := base64.StdEncoding.DecodeString(rest[:4])
	return err == nil && (bits[0]&0x80 != 0 || bits[2]&1 != 0)
}
