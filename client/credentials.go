package client

import (
	"bytes"
	"time"
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
	if len(username) > maxUsername {
		return ErrTooLarge
	}
	clear(c.auth.username)
	clear(c.auth.password)
	c.auth.username, c.auth.password = bytes.Clone(username), bytes.Clone(password)
	if c.auth.signer != nil && bytes.Equal(c.auth.signer.username, username) {
		c.setSigner(newCredential(username, password, c.auth.signer.realm))
		c.touchParting()
		c.retryExpired(now)
	}
	return nil
}

// retryExpired takes up what waited for other credentials.
func (c *Client) retryExpired(now time.Duration) {
	c.expired = nil
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
