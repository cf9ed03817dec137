package client

import (
	"bytes"
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
	now = c.at(now)
	if c.phase >= PhaseClosing {
		return ErrClosed
	}
	if len(username) > maxUsername || len(password) > maxText {
		return ErrTooLarge
	}
	clear(c.auth.username)
	clear(c.auth.password)
	c.auth.username, c.auth.password = bytes.Clone(username), bytes.Clone(password)
	if c.auth.signer != nil && bytes.Equal(c.auth.signer.username, username) {
		c.setSigner(newCredentialUnder(c.auth.signer.terms(), username, password, c.auth.signer.realm))
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
