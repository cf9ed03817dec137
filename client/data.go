package client

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

const channelHeader = 4

// Send sends a payload to the peer, on its channel if one is bound. The payload
// is copied.
func (c *Client) Send(now time.Duration, peer netip.AddrPort, payload []byte) error {
	if len(payload) > maxMessage {
		return ErrTooLarge
	}
	buf := make([]byte, Headroom+len(payload)+Tailroom)
	copy(buf[Headroom:], payload)
	return c.SendInPlace(now, peer, buf, Headroom, Headroom+len(payload))
}

// SendInPlace sends buf[off:end] to the peer without copying it: the header is
// written in front of it, the padding behind it. off is at least Headroom, and
// buf has Tailroom bytes behind end. The transmit is a part of buf.
func (c *Client) SendInPlace(now time.Duration, peer netip.AddrPort, buf []byte, off, end int) error {
	now = c.at(now)
	peer = unmap(peer)
	if c.phase >= PhaseClosing {
		return ErrClosed
	}
	if c.relay() != nil {
		return ErrRelay
	}
	if off < Headroom || end < off || end+Tailroom > len(buf) || end-off+Headroom > maxMessage {
		return ErrTooLarge
	}
	if peer.Port() == 0 {
		return ErrPeer
	}
	p := c.permission(peer.Addr())
	if !p.good(now) || !c.serving() {
		return c.sendLater(now, peer, p, buf[off:end])
	}
	if ch, number := c.channelOf(peer); ch.good(now) {
		c.stats.PayloadsSent++
		c.transmit(c.sealChannelData(buf, off, end, number))
		return nil
	}
	return c.sendIndication(now, peer, buf, off, end)
}

// sealChannelData writes the header. "Over UDP, the padding is not required but
// MAY be included." https://www.rfc-editor.org/rfc/rfc8656#section-12.5
//
// On a stream it is: see frameSize.
func (c *Client) sealChannelData(buf []byte, off, end int, number uint16) []byte {
	binary.BigEndian.PutUint16(buf[off-4:], number)
	binary.BigEndian.PutUint16(buf[off-2:], uint16(end-off))
	if c.Stream() {
		padded := end + (-(end - off) & 3)
		clear(buf[end:padded])
		end = padded
	}
	return buf[off-channelHeader : end : end]
}

// sendIndication writes a Send indication around the payload (RFC 8656 section
// 11.1): XOR-PEER-ADDRESS, DONT-FRAGMENT if it is wanted, then DATA as the last one.
func (c *Client) sendIndication(now time.Duration, peer netip.AddrPort, buf []byte, off, end int) error {
	id, ok := c.newID(now)
	if !ok {
		return ErrEntropy
	}
	var address [20]byte
	n := putXorAddress(address[:], peer, id)
	at := 24 + n // of DATA
	if c.sendsUnfragmented() {
		at += 4
	}
	start := off - 4 - at
	padded := end + (-(end - off) & 3)
	clear(buf[end:padded])

	b := buf[start:padded:padded]
	binary.BigEndian.PutUint16(b, stun.NewType(stun.MethodSend, stun.ClassIndication).Value())
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-20))
	binary.BigEndian.PutUint32(b[4:], magicCookie)
	copy(b[8:], id[:])
	binary.BigEndian.PutUint16(b[20:], uint16(stun.AttrXORPeerAddress))
	binary.BigEndian.PutUint16(b[22:], uint16(n))
	copy(b[24:], address[:n])
	if at > 24+n {
		binary.BigEndian.PutUint32(b[24+n:], uint32(stun.AttrDontFragment)<<16)
	}
	binary.BigEndian.PutUint16(b[at:], uint16(stun.AttrData))
	binary.BigEndian.PutUint16(b[at+2:], uint16(end-off))
	c.stats.PayloadsSent++
	c.transmit(b)
	return nil
}

// sendLater: without a permission a payload waits for it, if the caller wants
// one made.
func (c *Client) sendLater(now time.Duration, peer netip.AddrPort, p *permission, payload []byte) error {
	if err := c.checkPeer(peer.Addr()); err != nil {
		return err
	}
	expected := p != nil && (p.wanted || p.busy) || c.channelTo(peer.Addr())
	if !expected && !c.cfg.autoPermission {
		return ErrNoPermission
	}
	if !c.queue.fits(peer, len(payload)) {
		return ErrQueueFull
	}
	if !expected {
		if err := c.CreatePermission(now, peer.Addr()); err != nil {
			return err
		}
	}
	c.enqueue(peer, payload)
	return nil
}

// handleChannelData takes a ChannelData message.
func (c *Client) handleChannelData(now time.Duration, data []byte) {
	ch, number, payload, ignored := c.readChannelData(now, data)
	if ignored != nil {
		*ignored++
		return
	}
	c.receive(ch.peer, number, payload)
}

// readChannelData answers the channel and the payload, or the counter of the
// cause why it is ignored.
func (c *Client) readChannelData(now time.Duration, data []byte) (ch *channel, number uint16, payload []byte, ignored *uint64) {
	if len(data) < channelHeader {
		return nil, 0, nil, &c.stats.IgnoredMalformed
	}
	number = binary.BigEndian.Uint16(data)
	size := int(binary.BigEndian.Uint16(data[2:]))
	if size > len(data)-channelHeader {
		// "if the UDP datagram is too short to contain the claimed length of the
		// ChannelData message [...], then the message is silently discarded."
		// https://www.rfc-editor.org/rfc/rfc8656#section-12.6
		return nil, 0, nil, &c.stats.IgnoredMalformed
	}
	ch = c.channelBy(number)
	if ch == nil || !ch.open(now) {
		return nil, 0, nil, &c.stats.IgnoredChannel
	}
	if !c.permission(ch.peer.Addr()).has(now) {
		return nil, 0, nil, &c.stats.IgnoredPeer
	}
	return ch, number, data[channelHeader : channelHeader+size], nil
}

// handleData takes a Data indication (RFC 8656 sections 11.4 and 11.6).
func (c *Client) handleData(now time.Duration, m *message) {
	peer, ok := getXorAddress(&m.Message, stun.AttrXORPeerAddress)
	switch {
	case !ok:
		c.stats.IgnoredMalformed++
		return
	case !c.permission(peer.Addr()).has(now):
		// "The client SHOULD also check that the XOR-PEER-ADDRESS attribute value
		// contains an IP address with which the client believes there is an
		// active permission and discard the Data indication otherwise."
		c.stats.IgnoredPeer++
		return
	}
	if attr, ok := m.Attributes.Get(stun.AttrData); ok {
		c.receive(peer, 0, attr.Value)
		return
	}
	icmp, ok := getICMP(&m.Message, peer.Addr().Is6())
	if !ok {
		c.stats.IgnoredMalformed++
		return
	}
	c.emit(Event{Kind: PeerICMP, Peer: peer, ICMP: icmp})
}

func (c *Client) receive(peer netip.AddrPort, number uint16, payload []byte) {
	c.stats.PayloadsReceived++
	c.received = received{peer: peer, number: number, payload: payload, waiting: true}
}

// receiveOn is receive for what a data connection brings.
func (c *Client) receiveOn(flow Flow, peer netip.AddrPort, payload []byte) {
	c.receive(peer, 0, payload)
	c.received.flow = flow
}
