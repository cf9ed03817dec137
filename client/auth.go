package client

import (
	"bytes"
	"crypto/md5"

	"github.com/pion/stun/v3"
)

// credential is a long-term credential under one realm, and the key that comes
// of it. It does not change: a transaction keeps the one that signed it.
type credential struct {
	username []byte
	realm    []byte // as received
	key      [md5.Size]byte
	modern   *modern // nil: as RFC 5389 has it
}

// newCredential is the one of RFC 5389.
func newCredential(username, password, realm []byte) *credential {
	return newCredentialUnder(terms{}, identity{username: username, password: password}, realm)
}

// bareRealm is the realm as the key wants it: some servers quote it or end it
// with NULs.
func bareRealm(realm []byte) []byte {
	realm = bytes.TrimRight(realm, "\x00")
	if n := len(realm); n >= 2 && realm[0] == '"' && realm[n-1] == '"' {
		return realm[1 : n-1]
	}
	return realm
}

func (cr *credential) wipe() {
	clear(cr.username)
	clear(cr.key[:])
	if cr.modern != nil {
		cr.modern.wipe()
	}
}

// addTo signs a request: "The request MUST contain the REALM, copied from the
// error response. The request MUST contain the NONCE, copied from the error
// response." https://www.rfc-editor.org/rfc/rfc8489#section-9.2.5
//
// "If the response contains a PASSWORD-ALGORITHMS attribute, the request MUST
// contain the PASSWORD-ALGORITHMS attribute with the same content."
func (cr *credential) addTo(m *stun.Message, nonce string) {
	t := cr.terms()
	if t.userhash {
		addBytes(m, stun.AttrUserhash, cr.modern.hash[:])
	} else {
		addBytes(m, stun.AttrUsername, cr.username)
	}
	addBytes(m, stun.AttrRealm, cr.realm)
	addBytes(m, stun.AttrNonce, []byte(nonce))
	if cr.carriesToken(m.Type.Method) {
		addBytes(m, attrAccessToken, cr.modern.token)
	}
	if t.algorithm == 0 {
		added(m, stun.MessageIntegrity(cr.secret()).AddTo(m))
		return
	}
	addBytes(m, stun.AttrPasswordAlgorithms, t.list)
	addBytes(m, stun.AttrPasswordAlgorithm, t.algorithm.attribute())
	addIntegrity256(m, cr.secret())
}

// size is what addTo adds, beside the token.
func (cr *credential) size(nonce string) int {
	t := cr.terms()
	n := attributeSize(len(cr.username))
	if t.userhash {
		n = attributeSize(len(cr.modern.hash))
	}
	n += attributeSize(len(cr.realm)) + attributeSize(len(nonce))
	if t.algorithm == 0 {
		return n + integritySize
	}
	return n + attributeSize(len(t.list)) + wordSize + integritySize256
}

// auth is what the client knows of itself and of the server's challenge.
type auth struct {
	identity
	nonce    string
	nonceAge uint32        // counts nonces
	signer   *credential   // signs what concerns the present allocation; nil: nothing is signed
	proven   bool          // the server has signed an answer: it asks for credentials
	retired  []*credential // replaced ones that transactions may still hold
}

// challenge is what a 401 or 438 carries.
type challenge struct {
	realm, nonce []byte
	list         []byte // PASSWORD-ALGORITHMS
	listed       bool   // it is there
}

func (ch challenge) complete() bool { return len(ch.realm) > 0 && len(ch.nonce) > 0 }

// setSigner makes cr the one that signs from now on.
func (c *Client) setSigner(cr *credential) {
	if c.auth.signer != nil && c.auth.signer != cr {
		c.auth.retired = append(c.auth.retired, c.auth.signer)
	}
	c.auth.signer = cr
	c.sweepCredentials()
}

// sweepCredentials wipes the credentials that nothing holds any more.
func (c *Client) sweepCredentials() {
	kept := c.auth.retired[:0]
	for _, cr := range c.auth.retired {
		if c.credentialInUse(cr) {
			kept = append(kept, cr)
		} else {
			cr.wipe()
		}
	}
	clear(c.auth.retired[len(kept):])
	c.auth.retired = kept
}

func (c *Client) credentialInUse(cr *credential) bool {
	for _, tx := range c.requests {
		if tx.signer == cr {
			return true
		}
	}
	for i := range c.forgone {
		if c.forgone[i].signer == cr {
			return true
		}
	}
	return cr == c.auth.signer
}

// accept takes the realm and the nonce of a challenge to an unsigned request.
func (c *Client) accept(ch challenge) {
	t, _ := termsOf(ch)
	c.setNonce(ch.nonce)
	c.setSigner(newCredentialUnder(t, c.auth.identity, ch.realm))
}

// renew takes the nonce of a 438, and the list of algorithms beside it. To a
// server that has signed by other terms a 438, which anybody can forge, brings
// no stronger ones: the next Allocate's challenge does.
func (c *Client) renew(ch challenge) {
	c.setNonce(ch.nonce)
	t, _ := termsOf(ch)
	switch signer := c.auth.signer; {
	case t.algorithm == signer.terms().algorithm:
		if !bytes.Equal(t.list, signer.terms().list) {
			c.setSigner(signer.listing(t.list))
		}
	case !c.auth.proven && c.auth.follows(signer):
		c.setSigner(newCredentialUnder(t, c.auth.identity, signer.realm))
	}
	c.touchParting()
}

func (c *Client) setNonce(nonce []byte) {
	c.auth.nonce = string(nonce)
	c.auth.nonceAge++
}

func (c *Client) hasCredentials() bool { return len(c.auth.username) > 0 }

// wipe leaves neither password nor key behind.
func (a *auth) wipe() {
	a.identity.wipe()
	if a.signer != nil {
		a.signer.wipe()
	}
	for _, cr := range a.retired {
		cr.wipe()
	}
	*a = auth{}
}
