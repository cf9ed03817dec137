package client

import (
	"math/bits"
	"net/netip"
	"time"
)

// Lane is a channel as the data path needs it: looked up once, it serves any
// number of payloads, as long as it holds and nothing but payloads on lanes
// happens to the client; streams, whose payloads are padded, have none. Its user writes and reads the 4-byte headers itself
// and says what it moved.
type Lane struct {
	Flow   Flow
	Server netip.AddrPort
	Peer   netip.AddrPort
	Number uint16
	Until  time.Duration // the first instant at which it does not hold
}

// MaxLane is the longest payload of a lane.
const MaxLane = maxMessage - channelHeader

// LaneTo answers the lane on which payloads can go to the peer now: without a
// confirmed channel and a confirmed permission there is none.
func (c *Client) LaneTo(now time.Duration, peer netip.AddrPort) (l Lane, ok bool) {
	now = c.at(now)
	ch, number := c.channelOf(unmap(peer))
	if !c.serving() || !ch.good(now) || c.Stream() {
		return l, false
	}
	p := c.permission(ch.peer.Addr())
	if !p.good(now) {
		return l, false
	}
	return c.lane(ch, number, min(ch.goodUntil, p.goodUntil)), true
}

// LaneFrom answers the lane on which payloads can come with the number now, on
// a flow that brings nothing but the server's.
func (c *Client) LaneFrom(now time.Duration, flow Flow, number uint16) (l Lane, ok bool) {
	now = c.at(now)
	ch := c.channelBy(number)
	if c.phase != PhaseAllocated || c.Stream() || flow != c.flow || ch == nil || !ch.open(now) {
		return l, false
	}
	p := c.permission(ch.peer.Addr())
	if !p.has(now) {
		return l, false
	}
	return c.lane(ch, number, min(ch.sentAt+channelLifetime, p.sentAt+permissionLifetime)), true
}

func (c *Client) lane(ch *channel, number uint16, until time.Duration) Lane {
	return Lane{Flow: c.flow, Server: c.cfg.server, Peer: ch.peer, Number: number, Until: until}
}

// Holds says whether a lane until that instant, which nothing has ended yet,
// serves now.
func (c *Client) Holds(now, until time.Duration) bool { return c.at(now) < until }

// SentOnLane counts payloads that were sent and their bytes, headers included.
func (c *Client) SentOnLane(payloads, bytes uint64) {
	c.stats.PayloadsSent += payloads
	c.stats.SentMessages += payloads
	c.stats.SentBytes += bytes
}

// ReceivedOnLane counts payloads that came and the bytes of their datagrams.
func (c *Client) ReceivedOnLane(payloads, bytes uint64) {
	c.stats.PayloadsReceived += payloads
	c.stats.ReceivedMessages += payloads
	c.stats.ReceivedBytes += bytes
}

// LaneHeader is the header of a payload of so many bytes, at most MaxLane, as a
// little-endian number: the channel's number, then the length, each big-endian.
func LaneHeader(number uint16, length uint32) uint32 {
	return uint32(bits.ReverseBytes16(number)) | uint32(bits.ReverseBytes16(uint16(length)))<<16
}

// LaneNumber is the number in a header.
func LaneNumber(header uint32) uint16 { return bits.ReverseBytes16(uint16(header)) }

// LaneLength is the length in a header.
func LaneLength(header uint32) uint32 { return uint32(bits.ReverseBytes16(uint16(header >> 16))) }
