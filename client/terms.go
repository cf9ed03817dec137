package client

import (
	"bytes"
	"crypto/sha256"
)

// terms are what a challenge asks of the requests that answer it, beyond what
// RFC 5389 did. The zero value asks for nothing: USERNAME, an MD5 key,
// MESSAGE-INTEGRITY.
type terms struct {
	list      []byte            // PASSWORD-ALGORITHMS, echoed byte for byte; empty: there was none
	algorithm passwordAlgorithm // chosen of the list
	userhash  bool              // USERHASH instead of USERNAME
}

func (t terms) none() bool { return t.algorithm == 0 && !t.userhash }

// Why a challenge is not answered.
const (
	bidDownMissing     = "bid-down: the nonce promises PASSWORD-ALGORITHMS and there is none"
	bidDownUnsupported = "no password algorithm of the server's list is supported"
	anonymityMissing   = "the username would be sent in the clear: the server takes no USERHASH"
	bidDownWeaker      = "bid-down: the server asked for stronger authentication before"
)

// termsOf reads the terms of a challenge, or says why it is not answered:
//
//	"If so and the "nonce cookie" has the STUN Security Feature "Password
//	algorithms" bit set to 1 but no PASSWORD-ALGORITHMS attribute is present,
//	then the client MUST NOT retry the request with a new transaction."
//
//	"If the response contains a PASSWORD-ALGORITHMS attribute, and this
//	attribute does not contain any algorithm that is supported by the client,
//	then the client MUST NOT retry the request with a new transaction."
//
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.5
//
// The attribute without the bit is obeyed.
func termsOf(ch challenge) (t terms, refused string) {
	promised := featuresOf(ch.nonce)
	t.userhash = promised.anonymity
	if !ch.listed {
		if promised.algorithms {
			refused = bidDownMissing
		}
		return t, refused
	}
	t.list, t.algorithm = ch.list, chooseAlgorithm(ch.list)
	if t.algorithm == 0 {
		refused = bidDownUnsupported
	}
	return t, refused
}

// weigh is termsOf for this client, which never goes back to weaker ones:
//
//	"If the response contains a PASSWORD-ALGORITHMS attribute, all the
//	subsequent requests MUST be authenticated using MESSAGE-INTEGRITY-SHA256
//	only."
//
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.5
func (c *Client) weigh(ch challenge) (t terms, refused string) {
	t, refused = termsOf(ch)
	switch signer := c.auth.signer; {
	case refused != "":
	case signer != nil && t.algorithm < signer.terms().algorithm:
		refused = bidDownWeaker
	case c.cfg.anonymous && !t.userhash && !c.auth.bearer() && c.overheard():
		refused = anonymityMissing
	}
	return t, refused
}

// overheard: what is sent can be read by others.
func (c *Client) overheard() bool { return !c.cfg.secured }

// modern is what a credential has under terms that ask for something, or with a
// token.
type modern struct {
	terms
	key   []byte            // derived by SHA-256, or a token's; empty: the MD5 key serves
	token []byte            // ACCESS-TOKEN; empty: none
	hash  [sha256.Size]byte // USERHASH
}

// newCredentialUnder makes the credential that answers a challenge. The name of
// a token's key is nobody's username: it is not hashed.
func newCredentialUnder(t terms, who identity, realm []byte) *credential {
	t.userhash = t.userhash && !who.bearer()
	cr := &credential{username: bytes.Clone(who.username), realm: bytes.Clone(realm)}
	if !t.none() || who.bearer() {
		cr.modern = newModern(t, who.username, realm)
	}
	switch {
	case who.bearer():
		cr.modern.key, cr.modern.token = bytes.Clone(who.password), bytes.Clone(who.token)
	case t.algorithm == algorithmSHA256:
		key := longTermKey256(who.username, bareRealm(realm), who.password)
		cr.modern.key = bytes.Clone(key[:])
		clear(key[:])
	default:
		cr.key = longTermKey(who.username, bareRealm(realm), who.password)
	}
	return cr
}

// newModern computes the hash of the username:
//
//	"userhash = SHA-256(OpaqueString(username) ":" OpaqueString(realm))"
//
// https://www.rfc-editor.org/rfc/rfc8489#section-14.4
func newModern(t terms, username, realm []byte) *modern {
	m := &modern{terms: t}
	m.list = bytes.Clone(t.list)
	if t.userhash {
		text := joined(username, bareRealm(realm))
		m.hash = sha256.Sum256(text)
		clear(text)
	}
	return m
}

func (cr *credential) terms() terms {
	if cr.modern == nil {
		return terms{}
	}
	return cr.modern.terms
}

// secret is the key of its HMACs.
func (cr *credential) secret() []byte {
	if cr.modern != nil && len(cr.modern.key) > 0 {
		return cr.modern.key
	}
	return cr.key[:]
}

// listing is the credential that echoes another list: the same key, of the same
// algorithm. A server compares what is echoed with what it sent beside the nonce.
func (cr *credential) listing(list []byte) *credential {
	other := &credential{username: bytes.Clone(cr.username), realm: bytes.Clone(cr.realm), key: cr.key}
	m := *cr.modern
	m.list, m.key, m.token = bytes.Clone(list), bytes.Clone(m.key), bytes.Clone(m.token)
	other.modern = &m
	return other
}

func (m *modern) wipe() {
	clear(m.key)
	clear(m.token)
	clear(m.hash[:])
}
