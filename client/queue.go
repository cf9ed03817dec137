package client

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/stun/v3"
)

// queued is a payload that waits for its permission.
type queued struct {
	peer netip.AddrPort
	data []byte
}

// queue are the payloads that wait, in their order.
type queue struct {
	payloads []queued
	size     int // in bytes
}

// enqueue copies the payload.
func (c *Client) enqueue(peer netip.AddrPort, payload []byte) {
	if c.queue == nil {
		c.queue = new(queue)
	}
	c.queue.payloads = append(c.queue.payloads, queued{peer, bytes.Clone(payload)})
	c.queue.size += len(payload)
}

// fits says whether a payload may wait: at most 32 of them or 64 KiB a peer.
func (q *queue) fits(peer netip.AddrPort, size int) bool {
	if q == nil {
		return true
	}
	payloads, all := 1, size
	for i := range q.payloads {
		if q.payloads[i].peer == peer {
			payloads, all = payloads+1, all+len(q.payloads[i].data)
		}
	}
	return payloads <= maxQueuedPerPeer && all <= maxQueuedBytes && q.size+size <= maxQueuedTotal
}

// takeQueued takes out the payloads for an address, in their order.
func (c *Client) takeQueued(addr netip.Addr) (taken []queued) {
	q := c.queue
	if q == nil {
		return nil
	}
	q.payloads = slices.DeleteFunc(q.payloads, func(p queued) bool {
		if p.peer.Addr() != addr {
			return false
		}
		taken = append(taken, p)
		q.size -= len(p.data)
		return true
	})
	if len(q.payloads) == 0 {
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
	if c.queue != nil {
		c.stats.PayloadsDropped += uint64(len(c.queue.payloads))
	}
	c.permissions, c.channels, c.queue = nil, nil, nil
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
