package client

import (
	"bytes"

	"github.com/pion/stun/v3"
)

const (
	attrAccessToken             stun.AttrType = 0x001B // ACCESS-TOKEN
	attrThirdPartyAuthorization stun.AttrType = 0x802E // THIRD-PARTY-AUTHORIZATION
)

// identity is whom the client says it is: a user with a password, or the bearer
// of an access token, whose username is the key's name (kid) and whose password
// is the key itself (mac_key):
//
//	"The STUN client and server will use the mac_key to compute the message
//	integrity and do not perform MD5 hash on the credentials."
//
// https://www.rfc-editor.org/rfc/rfc7635#section-5
type identity struct {
	username, password []byte
	token              []byte // ACCESS-TOKEN; empty: a user
}

func (id identity) bearer() bool { return len(id.token) > 0 }

func (id identity) clone() identity {
	return identity{bytes.Clone(id.username), bytes.Clone(id.password), bytes.Clone(id.token)}
}

func (id identity) check() error {
	if len(id.username) > maxUsername || len(id.password) > maxText || len(id.token) > maxToken {
		return ErrTooLarge
	}
	return nil
}

func (id identity) wipe() {
	clear(id.username)
	clear(id.password)
	clear(id.token)
}

// follows says whether what cr has allocated may be refreshed by this identity.
// A user is the one who allocated (RFC 8656 section 5). Of tokens the newest:
// "The client MUST use the new token to refresh existing allocations."
// https://www.rfc-editor.org/rfc/rfc7635#section-9
func (id identity) follows(cr *credential) bool {
	if id.bearer() || cr.bearer() {
		return id.bearer() && cr.bearer()
	}
	return bytes.Equal(cr.username, id.username)
}

func (cr *credential) bearer() bool { return cr.modern != nil && len(cr.modern.token) > 0 }

// carriesToken: "The TURN client MUST include the ACCESS-TOKEN attribute only in
// Allocate and Refresh requests." https://www.rfc-editor.org/rfc/rfc7635#section-9
func (cr *credential) carriesToken(method stun.Method) bool {
	return cr != nil && cr.bearer() && (method == stun.MethodAllocate || method == stun.MethodRefresh)
}

// tokenSize is what ACCESS-TOKEN takes in a request.
func (cr *credential) tokenSize(method stun.Method) int {
	if !cr.carriesToken(method) {
		return 0
	}
	return attributeSize(len(cr.modern.token))
}

// tellOfToken: the server takes access tokens and there is none. With a password
// the request goes on: "If the client does not support or is not capable of doing
// third-party authorization, then it defaults to first-party authentication."
// https://www.rfc-editor.org/rfc/rfc7635#section-6.1
func (c *Client) tellOfToken(m *message) {
	name, ok := m.Attributes.Get(attrThirdPartyAuthorization)
	if ok && !c.auth.bearer() {
		c.emit(Event{Kind: TokenNeeded, ServerName: printable(name.Value)})
	}
}
