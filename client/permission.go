package client

import (
	"net/netip"
	"time"
)

// "The Permission Lifetime MUST be 300 seconds (= 5 minutes)."
// https://www.rfc-editor.org/rfc/rfc8656#section-9
const (
	permissionLifetime = 300 * time.Second
	permissionRefresh  = 240 * time.Second
	permissionBatch    = 30 * time.Second // refreshes so close together go in one request
)

// permission is one IP address that may send to us, and we to it.
type permission struct {
	addr      netip.Addr
	wanted    bool          // by CreatePermission; channels want theirs on their own
	asked     bool          // requested for itself, refused or not
	busy      bool          // a CreatePermission for it is under way
	told      bool          // PermissionCreated was emitted
	sentAt    time.Duration // last send of a request that may have installed it; 0 = none
	goodUntil time.Duration // the server holds it at least so long; 0 = unconfirmed
	refreshAt time.Duration
}

// good: the server has confirmed it and it has not expired.
func (p *permission) good(now time.Duration) bool { return p != nil && now < p.goodUntil }

// has: data from the peer is expected (P4): requested and not refused, until
// the last send and its lifetime.
func (p *permission) has(now time.Duration) bool {
	return p != nil && p.sentAt != 0 && now < p.sentAt+permissionLifetime
}

// CreatePermission installs permissions and keeps them until RemovePermission.
// Before the allocation it waits for it.
func (c *Client) CreatePermission(now time.Duration, peers ...netip.Addr) error {
	now = c.at(now)
	if c.phase >= PhaseClosing {
		return ErrClosed
	}
	fresh := 0
	for _, addr := range peers {
		if err := c.checkPeer(addr); err != nil {
			return err
		}
		if c.permission(addr.Unmap()) == nil {
			fresh++
		}
	}
	if err := c.room(now, fresh, fresh); err != nil {
		return err
	}
	for _, addr := range peers {
		p := c.makePermission(addr.Unmap())
		if !p.wanted {
			p.wanted, p.asked = true, p.busy // what is under way serves this wish, too
		}
	}
	c.requestWanted(now)
	return nil
}

// room says whether so many more entries, permissions among them, fit the
// tables; while there is no allocation they are a queue.
func (c *Client) room(now time.Duration, entries, permissions int) error {
	if c.phase != PhaseAllocated && entries > 0 && len(c.permissions)+len(c.channels)+entries > maxWaiting {
		return ErrQueueFull
	}
	if len(c.permissions)+permissions > maxPermissions {
		c.sweepPermissions(now)
	}
	if permissions > 0 && len(c.permissions)+permissions > maxPermissions {
		return ErrLimit
	}
	return nil
}

func (c *Client) checkPeer(addr netip.Addr) error {
	addr = addr.Unmap()
	switch {
	case !addr.IsValid() || addr.IsUnspecified() || addr.Zone() != "":
		return ErrPeer
	case !c.peerFamily(addr):
		// "The client MUST only include XOR-PEER-ADDRESS attributes with
		// addresses of the same address family as that of the relayed transport
		// address for the allocation."
		// https://www.rfc-editor.org/rfc/rfc8656#section-10.1
		return ErrFamily
	}
	return nil
}

// RemovePermission stops the refreshes of a permission. A channel to that
// address keeps its own.
func (c *Client) RemovePermission(now time.Duration, peer netip.Addr) error {
	c.at(now)
	if c.phase >= PhaseClosing {
		return ErrClosed
	}
	p := c.permission(peer.Unmap())
	if p == nil || !p.wanted {
		return ErrNoPermission
	}
	p.wanted, p.asked, p.told = false, false, false
	if c.phase != PhaseAllocated {
		c.deletePermission(p.addr)
	}
	c.rearm()
	return nil
}

// makePermission answers the entry, made if need be. The pointer is good until
// the next one is made.
func (c *Client) makePermission(addr netip.Addr) *permission {
	if p := c.permission(addr); p != nil {
		return p
	}
	c.permissions = append(c.permissions, permission{addr: addr})
	c.notePermission(len(c.permissions) - 1)
	return &c.permissions[len(c.permissions)-1]
}

func (c *Client) deletePermission(addr netip.Addr) {
	for i := range c.permissions {
		if c.permissions[i].addr == addr {
			c.permissions = append(c.permissions[:i], c.permissions[i+1:]...)
			break
		}
	}
	c.indexPermissions()
	c.dropPayloads(addr)
	c.rearm()
}

// sweepPermissions drops what is neither wanted nor alive.
func (c *Client) sweepPermissions(now time.Duration) {
	kept := c.permissions[:0]
	for _, p := range c.permissions {
		if c.permissionWanted(&p) || p.busy || p.has(now) {
			kept = append(kept, p)
		}
	}
	c.permissions = kept
	c.indexPermissions()
	c.rearm()
}

func (c *Client) permissionWanted(p *permission) bool {
	return p.wanted || c.channelTo(p.addr)
}
