package client

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
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
		p.wanted = true
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

func (c *Client) permission(addr netip.Addr) *permission {
	for i := range c.permissions {
		if c.permissions[i].addr == addr {
			return &c.permissions[i]
		}
	}
	return nil
}

// makePermission answers the entry, made if need be. The pointer is good until
// the next one is made.
func (c *Client) makePermission(addr netip.Addr) *permission {
	if p := c.permission(addr); p != nil {
		return p
	}
	c.permissions = append(c.permissions, permission{addr: addr})
	return &c.permissions[len(c.permissions)-1]
}

func (c *Client) deletePermission(addr netip.Addr) {
	for i := range c.permissions {
		if c.permissions[i].addr == addr {
			c.permissions = append(c.permissions[:i], c.permissions[i+1:]...)
			break
		}
	}
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
	c.rearm()
}

func (c *Client) permissionWanted(p *permission) bool {
	return p.wanted || c.channelTo(p.addr)
}

// requestWanted asks for the permissions that are missing or due, as many in
// one request as fit, and for the channels.
func (c *Client) requestWanted(now time.Duration) {
	if c.phase != PhaseAllocated {
		c.rearm()
		return
	}
	c.requestChannels(now)
	var batch []netip.Addr
	size := c.permissionsPerRequest()
	for i := range c.permissions {
		p := &c.permissions[i]
		if !c.permissionDue(p, now, permissionBatch) {
			continue
		}
		p.busy, p.asked, p.refreshAt = true, true, 0
		if batch = append(batch, p.addr); len(batch) == size {
			c.requestPermissions(now, batch)
			batch = nil
		}
	}
	c.requestPermissions(now, batch)
	c.pump(now)
	c.rearm()
}

func (c *Client) permissionDue(p *permission, now, slack time.Duration) bool {
	if p.busy {
		return false
	}
	return p.wanted && !p.asked || p.refreshAt != 0 && p.refreshAt <= now+slack && c.permissionWanted(p)
}

func (c *Client) requestPermissions(now time.Duration, batch []netip.Addr) {
	if len(batch) > 0 {
		c.request(transaction{purpose: forPermission, signer: c.auth.signer, peers: batch}, now)
	}
}

func (c *Client) tickPermissions(now time.Duration) {
	if c.phase != PhaseAllocated {
		return
	}
	for i := range c.permissions {
		if c.permissionDue(&c.permissions[i], now, 0) {
			c.requestWanted(now)
			return
		}
	}
}

func (c *Client) notePermissionsSent(now time.Duration, tx *transaction) {
	for _, addr := range tx.peers {
		if p := c.permission(addr); p != nil {
			p.sentAt = now
		}
	}
}

// permissionSucceeded: "the client updates its data structures to indicate that
// the permissions have been installed or refreshed."
// https://www.rfc-editor.org/rfc/rfc8656#section-10.3
func (c *Client) permissionSucceeded(now time.Duration, tx *transaction) {
	for _, addr := range tx.peers {
		p := c.permission(addr)
		if p == nil {
			continue
		}
		p.busy = false
		c.confirmPermission(now, p, tx.firstAt)
		if p.wanted && !p.told {
			p.told = true
			c.emit(Event{Kind: PermissionCreated, Peer: netip.AddrPortFrom(addr, 0)})
		}
		c.flushPayloads(now, addr)
	}
}

func (c *Client) confirmPermission(now time.Duration, p *permission, firstAt time.Duration) {
	p.goodUntil = firstAt + permissionLifetime
	p.refreshAt = max(firstAt+permissionRefresh, now+refreshMinimum)
	c.rearm()
}

// permissionFailed: a batch of which one peer is refused is asked for again
// one by one, so that nobody else is hurt (P2).
func (c *Client) permissionFailed(now time.Duration, tx *transaction, v verdict) {
	if v.code == int(stun.CodeAllocMismatch) {
		c.lose(now, lossOf{method: stun.MethodCreatePermission, verdict: v})
		return
	}
	c.noteExpiredCredentials(v, stun.MethodCreatePermission)
	if len(tx.peers) > 1 && refusesPeer(v) {
		for _, addr := range tx.peers {
			c.requestPermissions(now, []netip.Addr{addr})
		}
		return
	}
	for _, addr := range tx.peers {
		if p := c.permission(addr); p != nil {
			c.permissionRefused(now, p, v)
		}
	}
	if v.code == int(stun.CodeBadRequest) {
		c.probe(now, 0)
	}
}

// refusesPeer: the verdict may concern one peer of many.
func refusesPeer(v verdict) bool {
	switch stun.ErrorCode(v.code) {
	case stun.CodeBadRequest, stun.CodeForbidden, stun.CodePeerAddrFamilyMismatch, stun.CodeInsufficientCapacity:
		return true
	case stun.CodeUnauthorized:
		return v.bare
	}
	return false
}

// permissionRefused: silence, and trouble that passes, may be tried again while
// the permission lives; a refusal ends it.
func (c *Client) permissionRefused(now time.Duration, p *permission, v verdict) {
	p.busy = false
	if p.good(now) && !refusesPeer(v) {
		p.refreshAt = c.retryAt(now, v)
		c.rearm()
		return
	}
	e := v.event(PermissionFailed)
	e.Method, e.Peer = stun.MethodCreatePermission, netip.AddrPortFrom(p.addr, 0)
	c.dropPermission(p, v)
	c.emit(e)
}

// dropPermission: nothing is sent to the peer any more. After silence the server
// may have installed it all the same, so what comes from it is still taken (P4).
func (c *Client) dropPermission(p *permission, v verdict) {
	if v.code != 0 {
		c.deletePermission(p.addr)
		return
	}
	*p = permission{addr: p.addr, sentAt: p.sentAt}
	c.dropPayloads(p.addr)
	c.rearm()
}

// retryAt is when a request that failed may be made again: 0, not before the
// credentials are replaced, when it is those that the server rejects.
func (c *Client) retryAt(now time.Duration, v verdict) time.Duration {
	if v.code == int(stun.CodeUnauthorized) {
		return 0
	}
	return now + requestPause
}

// noteExpiredCredentials tells once that the server rejects the credentials.
func (c *Client) noteExpiredCredentials(v verdict, method stun.Method) {
	if v.code != int(stun.CodeUnauthorized) || v.bare || c.expired != nil || c.alloc == nil {
		return
	}
	c.expired = &v
	e := v.event(CredentialsExpired)
	e.Method, e.Until = method, c.alloc.expiresAt
	c.emit(e)
}
