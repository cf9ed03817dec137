package client

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// queued is a payload that waits for its permission.
type queued struct {
	peer netip.AddrPort
	data []byte
}

// enqueue copies the payload: at most 32 of them or 64 KiB a peer.
func (c *Client) enqueue(peer netip.AddrPort, payload []byte) error {
	payloads, size := 0, 0
	for i := range c.queue {
		if c.queue[i].peer == peer {
			payloads, size = payloads+1, size+len(c.queue[i].data)
		}
	}
	if payloads >= maxQueuedPerPeer || size+len(payload) > maxQueuedBytes || c.queuedBytes+len(payload) > maxQueuedTotal {
		return ErrQueueFull
	}
	c.queue = append(c.queue, queued{peer, bytes.Clone(payload)})
	c.queuedBytes += len(payload)
	return nil
}

// takeQueued takes out the payloads for an address, in their order.
func (c *Client) takeQueued(addr netip.Addr) []queued {
	var taken []queued
	kept := c.queue[:0]
	for _, q := range c.queue {
		if q.peer.Addr() == addr {
			taken = append(taken, q)
			c.queuedBytes -= len(q.data)
		} else {
			kept = append(kept, q)
		}
	}
	clear(c.queue[len(kept):])
	if c.queue = kept; len(kept) == 0 {
		c.queue = nil
	}
	return taken
}

func (c *Client) flushPayloads(now time.Duration, addr netip.Addr) {
	for _, q := range c.takeQueued(addr) {
		if c.Send(now, q.peer, q.data) != nil {
			c.stats.PayloadsDropped++
		}
	}
}

func (c *Client) dropPayloads(addr netip.Addr) {
	c.stats.PayloadsDropped += uint64(len(c.takeQueued(addr)))
}

// dropWaiting tells of every command that waited for the allocation, and
// drops it.
func (c *Client) dropWaiting() {
	const reason = "there is no allocation"
	for _, p := range c.permissions {
		if p.wanted {
			c.emit(Event{Kind: CommandDropped, Method: stun.MethodCreatePermission, Peer: netip.AddrPortFrom(p.addr, 0), Reason: reason})
		}
	}
	for _, ch := range c.channels {
		if ch.wanted {
			c.emit(Event{Kind: CommandDropped, Method: stun.MethodChannelBind, Peer: ch.peer, Reason: reason})
		}
	}
	c.dropWanted()
}

// dropWanted empties the tables: "If an allocation expires, all its permissions
// expire with it." https://www.rfc-editor.org/rfc/rfc8656#section-9
func (c *Client) dropWanted() {
	c.stats.PayloadsDropped += uint64(len(c.queue))
	c.permissions, c.channels, c.queue, c.queuedBytes = nil, nil, nil, 0
	c.channelIndex, c.permissionIndex = nil, nil
	c.rearm()
}

// forgetInstalled keeps what is wanted for the next allocation, as if it had
// been asked for before it: permissions and channels start clean there.
func (c *Client) forgetInstalled() {
	kept := c.permissions[:0]
	for _, p := range c.permissions {
		if p.wanted {
			kept = append(kept, permission{addr: p.addr, wanted: true})
		} else {
			c.dropPayloads(p.addr)
		}
	}
	c.permissions = kept
	channels := c.channels
	c.channels = nil
	for _, ch := range channels {
		if ch.wanted {
			c.channels = append(c.channels, channel{peer: ch.peer, wanted: true})
		}
	}
	c.indexPermissions()
	c.indexChannels()
	c.rearm()
}
