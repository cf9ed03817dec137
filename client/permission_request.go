package client

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// requestWanted asks for the permissions that are missing or due, as many in
// one request as fit, and for the channels.
func (c *Client) requestWanted(now time.Duration) {
	if !c.serving() {
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
		if batch == nil {
			batch = make([]netip.Addr, 0, min(size, len(c.permissions)-i))
		}
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
	if !c.serving() {
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
