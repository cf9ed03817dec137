package client

import (
	"math/bits"
	"net/netip"
	"time"
)

// Lane is a channel as the data path needs it: looked up once, it serves any
// number of payloads, as long as it holds and nothing but payloads on lanes
// happens to the client. Its user writes and reads the 4-byte headers itself
// and says what it moved.
type Lane struct {
	Peer   netip.AddrPort
	Number uint16
	until  time.Duration
}

// MaxLane is the longest payload of a lane.
const MaxLane = maxMessage - channelHeader

// LaneTo answers the lane on which payloads can go to the peer now: without a
// confirmed channel and a confirmed permission there is none.
func (c *Client) LaneTo(now time.Duration, peer netip.AddrPort) (l Lane, ok bool) {
	now = c.at(now)
	ch, number := c.channelOf(unmap(peer))
	if c.phase != PhaseAllocated || !ch.good(now) {
		return l, false
	}
	p := c.permission(ch.peer.Addr())
	if !p.good(now) {
		return l, false
	}
	return Lane{ch.peer, number, min(ch.goodUntil, p.goodUntil)}, true
}

// LaneFrom answers the lane on which payloads can come with the number now.
func (c *Client) LaneFrom(now time.Duration, number uint16) (l Lane, ok bool) {
	now = c.at(now)
	ch := c.channelBy(number)
	if c.phase != PhaseAllocated || ch == nil || !ch.open(now) {
		return l, false
	}
	p := c.permission(ch.peer.Addr())
	if !p.has(now) {
		return l, false
	}
	return Lane{ch.peer, number, min(ch.sentAt+channelLifetime, p.sentAt+permissionLifetime)}, true
}

// Holds says whether the lane, which nothing has ended yet, serves now.
func (c *Client) Holds(now time.Duration, l *Lane) bool { return c.at(now) < l.until }

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
