package turntest

import (
	"net/netip"
	"time"
)

type nonce struct {
	value    string
	issuedAt time.Duration
}

// freshNonce is the 5-tuple's nonce, a new one where the old has expired.
//
// "The server MUST NOT choose the same NONCE for two requests unless they have
// the same source IP address and port."
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.4
func (s *Server) freshNonce(client netip.AddrPort) string {
	if n, ok := s.nonces[client]; ok && s.now-n.issuedAt < s.cfg.NonceLifetime {
		return n.value
	}
	n := nonce{s.newNonce(), s.now}
	s.nonces[client] = n
	return n.value
}

func (s *Server) nonceValid(client netip.AddrPort, value string) bool {
	n, ok := s.nonces[client]
	return ok && n.value == value && s.now-n.issuedAt < s.cfg.NonceLifetime
}

// authenticate checks a request's credentials. It answers true when the request
// may go on; else the refusal is in the exchange.
//
// "it performs the checks listed below in the order specified"
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.4
func (x *exchange) authenticate() bool {
	if len(x.s.cfg.Users) == 0 {
		return true
	}
	if !x.m.Signed() {
		x.challenge(401)
		return false
	}
	if _, named := x.user(); !named || !x.m.Has(AttrRealm) || !x.m.Has(AttrNonce) {
		x.refuse(400)
		return false
	}
	if !x.checkAlgorithms() {
		return false
	}
	if x.s.habits.nonceFirst {
		return x.checkNonce() && x.checkCredentials()
	}
	return x.checkCredentials() && x.checkNonce()
}

func (x *exchange) checkNonce() bool {
	if x.fault == Stale {
		x.s.commit(Stale)
		delete(x.s.nonces, x.from)
	}
	if x.s.nonceValid(x.from, x.m.Text(AttrNonce)) {
		return true
	}
	x.key = nil
	x.challenge(438)
	return false
}

func (x *exchange) checkCredentials() bool {
	username, _ := x.user()
	password := x.s.cfg.Users[username]
	key, modern := x.keyOf(username, password)
	right := x.m.Verify(key) && modern == x.m.Has(AttrMessageIntegritySHA256)
	if password != "" && x.m.Text(AttrRealm) == x.s.cfg.Realm && right {
		x.modern = modern
		x.key, x.username = key, username
		return true
	}
	if x.s.habits.rejected == 401 {
		x.challenge(401)
	} else {
		x.refuse(x.s.habits.rejected)
	}
	return false
}

// challenge refuses with a realm and a nonce, never signed.
func (x *exchange) challenge(code int) {
	x.refuse(code)
	x.reply.Text(AttrRealm, x.s.cfg.Realm).Text(AttrNonce, x.s.freshNonce(x.from))
	if len(x.s.cfg.Algorithms) > 0 {
		x.reply.Algorithms(x.s.cfg.Algorithms...)
	}
}
