package client

import (
	"time"

	"github.com/pion/stun/v3"
)

// SetCredentials: the next request is signed with the new password.
//
//	"All requests after the initial Allocate must use the same username as that
//	used to create the allocation to prevent attackers from hijacking the
//	client's allocation."
//
// https://www.rfc-editor.org/rfc/rfc8656#section-5
//
// So a new username serves the next allocation only.
func (c *Client) SetCredentials(now time.Duration, username, password []byte) error {
	return c.identify(now, identity{username: username, password: password})
}

// SetToken: the next request is signed with the key of the access token, of
// which kid is the name, also where another token made the allocation. Where a
// password made it the token serves the next allocation only.
func (c *Client) SetToken(now time.Duration, kid, macKey, token []byte) error {
	if len(kid) == 0 || len(macKey) == 0 || len(token) == 0 {
		return &detailed{ErrConfig, "a token has a key, which has a name"}
	}
	return c.identify(now, identity{kid, macKey, token})
}

func (c *Client) identify(now time.Duration, who identity) error {
	now = c.at(now)
	if c.phase >= PhaseClosing {
		return ErrClosed
	}
	if err := who.check(); err != nil {
		return err
	}
	c.auth.identity.wipe()
	c.auth.identity = who.clone()
	if c.auth.signer != nil && who.follows(c.auth.signer) {
		c.setSigner(newCredentialUnder(c.auth.signer.terms(), who, c.auth.signer.realm))
		c.touchParting()
		c.retryExpired(now)
	}
	return nil
}

// retryExpired takes up what waited for other credentials.
func (c *Client) retryExpired(now time.Duration) {
	c.expired = nil
	c.resignRejected(now)
	if c.phase != PhaseAllocated {
		return
	}
	if c.alloc.refreshAt == 0 {
		c.startRefresh(now)
	}
	for i := range c.permissions {
		if p := &c.permissions[i]; p.goodUntil != 0 && p.refreshAt == 0 && !p.busy {
			p.refreshAt = now
		}
	}
	for i := range c.channels {
		if ch := &c.channels[i]; ch.goodUntil != 0 && ch.refreshAt == 0 && !ch.busy {
			ch.refreshAt = now
		}
	}
	c.requestWanted(now)
}

// resignRejected: a request whose 401 is held (A10) would fail for credentials
// that are not used any more.
func (c *Client) resignRejected(now time.Duration) {
	for _, tx := range append([]*transaction(nil), c.requests...) {
		if v := tx.held; v != nil && v.code == int(stun.CodeUnauthorized) && !v.bare && len(tx.elders) < maxResigned && c.find(tx.id) == tx {
			c.resign(now, tx)
		}
	}
}
