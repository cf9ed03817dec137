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
}

func newCredential(username, password, realm []byte) *credential {
	return &credential{
		username: bytes.Clone(username),
		realm:    bytes.Clone(realm),
		key:      longTermKey(username, bareRealm(realm), password),
	}
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

// longTermKey is
//
//	"key = MD5(username ":" OpaqueString(realm) ":" OpaqueString(password))"
//
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.2
//
// The joined text does not outlive the call.
func longTermKey(username, realm, password []byte) [md5.Size]byte {
	text := make([]byte, 0, len(username)+len(realm)+len(password)+2)
	text = append(append(text, username...), ':')
	text = append(append(text, realm...), ':')
	text = append(text, password...)
	defer clear(text)
	return md5.Sum(text)
}

func (cr *credential) wipe() {
	clear(cr.username)
	clear(cr.key[:])
}

// addTo signs a request: "The request MUST contain the REALM, copied from the
// error response. The request MUST contain the NONCE, copied from the error
// response." https://www.rfc-editor.org/rfc/rfc8489#section-9.2.5
func (cr *credential) addTo(m *stun.Message, nonce string) {
	addBytes(m, stun.AttrUsername, cr.username)
	addBytes(m, stun.AttrRealm, cr.realm)
	addBytes(m, stun.AttrNonce, []byte(nonce))
	add(m, stun.MessageIntegrity(cr.key[:]))
}

// auth is what the client knows of itself and of the server's challenge.
type auth struct {
	username, password []byte
	nonce              string
	nonceAge           uint32        // counts nonces
	signer             *credential   // signs what concerns the present allocation; nil: nothing is signed
	proven             bool          // the server has signed an answer: it asks for credentials
	retired            []*credential // replaced ones that transactions may still hold
}

// challenge is what a 401 or 438 carries.
type challenge struct{ realm, nonce []byte }

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
	c.setNonce(ch.nonce)
	c.setSigner(newCredential(c.auth.username, c.auth.password, ch.realm))
}

// renew takes the nonce of a 438.
func (c *Client) renew(ch challenge) {
	c.setNonce(ch.nonce)
	c.touchParting()
}

func (c *Client) setNonce(nonce []byte) {
	c.auth.nonce = string(nonce)
	c.auth.nonceAge++
}

func (c *Client) hasCredentials() bool { return len(c.auth.username) > 0 }

// wipe leaves neither password nor key behind.
func (a *auth) wipe() {
	clear(a.username)
	clear(a.password)
	if a.signer != nil {
		a.signer.wipe()
	}
	for _, cr := range a.retired {
		cr.wipe()
	}
	*a = auth{}
}
