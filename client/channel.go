package client

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

const (
	firstChannel = 0x4000 // RFC 8656 section 12: 0x4000 through 0x4FFF

	// "A channel binding lasts for 10 minutes unless refreshed."
	// https://www.rfc-editor.org/rfc/rfc8656#section-12
	channelLifetime = 10 * time.Minute
	channelRefresh  = 9 * time.Minute

	// "the client MUST wait 5 minutes after the channel binding expires before
	// attempting to bind the channel number to a different transport address or
	// the transport address to a different channel number."
	// https://www.rfc-editor.org/rfc/rfc8656#section-12
	channelQuarantine = channelLifetime + 5*time.Minute
)

// channel is one pair of a number and a peer. Its place in Client.channels
// gives the number. A pair stays together until its quarantine is over.
type channel struct {
	peer      netip.AddrPort
	wanted    bool
	asked     bool          // requested since it is wanted
	busy      bool          // a ChannelBind, or the probe for it, is under way
	retried   bool          // bound once more after a 400 and its probe (H8)
	refused   bool          // the last answer was a refusal
	told      bool          // ChannelBound was emitted
	sentAt    time.Duration // last send of any bind of the pair
	goodUntil time.Duration // the server holds it at least so long
	refreshAt time.Duration
}

func (ch *channel) good(now time.Duration) bool { return ch != nil && now < ch.goodUntil }

// open: the server may send on it. "the client SHOULD be prepared to receive
// ChannelData messages on the channel from the server as soon as it has sent
// the ChannelBind request." https://www.rfc-editor.org/rfc/rfc8656#section-12
func (ch *channel) open(now time.Duration) bool {
	return ch.sentAt != 0 && !ch.refused && now < ch.sentAt+channelLifetime
}

// BindChannel binds a channel to the peer and keeps it and its permission.
func (c *Client) BindChannel(now time.Duration, peer netip.AddrPort) error {
	now = c.at(now)
	peer = unmap(peer)
	if c.phase >= PhaseClosing {
		return ErrClosed
	}
	if c.relay() != nil {
		return ErrRelay
	}
	if err := c.checkPeer(peer.Addr()); err != nil {
		return err
	}
	if peer.Port() == 0 {
		return ErrPeer
	}
	ch, _ := c.channelOf(peer)
	if ch == nil {
		var err error
		if ch, err = c.makeChannel(now, peer); err != nil {
			return err
		}
	}
	if !ch.wanted {
		ch.wanted, ch.asked, ch.retried = true, ch.busy, false // what is under way serves this wish, too
	}
	c.requestWanted(now)
	return nil
}

// UnbindChannel stops the refreshes of a channel; it serves until it expires.
func (c *Client) UnbindChannel(now time.Duration, peer netip.AddrPort) error {
	c.at(now)
	if c.phase >= PhaseClosing {
		return ErrClosed
	}
	ch, _ := c.channelOf(unmap(peer))
	if ch == nil || !ch.wanted {
		return ErrNoChannel
	}
	ch.wanted, ch.told = false, false
	c.rearm()
	return nil
}

// makeChannel takes a number that was never used, and only then one whose
// quarantine is over.
func (c *Client) makeChannel(now time.Duration, peer netip.AddrPort) (*channel, error) {
	permissions := 1
	if c.permission(peer.Addr()) != nil {
		permissions = 0
	}
	if err := c.room(now, 1, permissions); err != nil {
		return nil, err
	}
	if len(c.channels) < maxChannels {
		c.channels = append(c.channels, channel{peer: peer})
		c.noteChannel(len(c.channels) - 1)
		return &c.channels[len(c.channels)-1], nil
	}
	for i := range c.channels {
		ch := &c.channels[i]
		if !ch.wanted && !ch.busy && (ch.sentAt == 0 || ch.sentAt+channelQuarantine <= now) {
			delete(c.channelIndex, ch.peer)
			*ch = channel{peer: peer}
			c.noteChannel(i)
			return ch, nil
		}
	}
	return nil, ErrNoChannel
}

// channelBy is a table look-up: numbers are given out in turn from a random
// start.
func (c *Client) channelBy(number uint16) *channel {
	i := int(number-firstChannel-c.channelStart) & (maxChannels - 1)
	if number < firstChannel || number >= firstChannel+maxChannels || i >= len(c.channels) {
		return nil
	}
	return &c.channels[i]
}

func (c *Client) numberOf(i int) uint16 {
	return firstChannel + (c.channelStart+uint16(i))&(maxChannels-1)
}

// channelTo says whether a wanted channel leads to the address.
func (c *Client) channelTo(addr netip.Addr) bool {
	for i := range c.channels {
		if c.channels[i].wanted && c.channels[i].peer.Addr() == addr {
			return true
		}
	}
	return false
}

func (c *Client) channelDue(ch *channel, now time.Duration) bool {
	return ch.wanted && !ch.busy && (!ch.asked || ch.refreshAt != 0 && ch.refreshAt <= now)
}

func (c *Client) requestChannels(now time.Duration) {
	for i := range c.channels {
		if ch := &c.channels[i]; c.channelDue(ch, now) {
			c.requestChannel(now, ch, c.numberOf(i))
		}
	}
}

func (c *Client) requestChannel(now time.Duration, ch *channel, number uint16) {
	ch.busy, ch.asked, ch.refreshAt = true, true, 0
	c.request(transaction{purpose: forChannel, signer: c.auth.signer, number: number}, now)
}

func (c *Client) tickChannels(now time.Duration) {
	if !c.serving() {
		return
	}
	c.requestChannels(now)
	c.pump(now)
}

// noteChannelSent: "A ChannelBind transaction also creates or refreshes a
// permission towards the peer". https://www.rfc-editor.org/rfc/rfc8656#section-12.1
func (c *Client) noteChannelSent(now time.Duration, tx *transaction) {
	if ch := c.channelBy(tx.number); ch != nil {
		ch.sentAt, ch.refused = now, false
		c.makePermission(ch.peer.Addr()).sentAt = now
	}
}

func (c *Client) channelSucceeded(now time.Duration, tx *transaction) {
	ch := c.channelBy(tx.number)
	if ch == nil {
		return
	}
	ch.busy, ch.retried = false, false
	ch.goodUntil = tx.firstAt + channelLifetime
	ch.refreshAt = max(tx.firstAt+channelRefresh, now+refreshMinimum)
	p := c.makePermission(ch.peer.Addr())
	c.confirmPermission(now, p, max(tx.firstAt, p.goodUntil-permissionLifetime))
	if ch.wanted && !ch.told {
		ch.told = true
		c.emit(Event{Kind: ChannelBound, Peer: ch.peer, Channel: tx.number})
	}
	c.flushPayloads(now, ch.peer.Addr())
}

// channelFailed. An unexpected 400 may mean that client and server disagree
// about channels, or that the allocation is gone (coturn): a Refresh asks.
func (c *Client) channelFailed(now time.Duration, tx *transaction, v verdict) {
	ch := c.channelBy(tx.number)
	switch {
	case ch == nil:
		return
	case v.code == int(stun.CodeAllocMismatch):
		c.lose(now, lossOf{method: stun.MethodChannelBind, verdict: v})
		return
	case v.code == int(stun.CodeBadRequest) && !ch.retried:
		c.probe(now, tx.number)
		return
	case v.code == int(stun.CodeBadRequest):
		// "it is RECOMMENDED that the client immediately delete the allocation
		// and start afresh with a new allocation."
		// https://www.rfc-editor.org/rfc/rfc8656#section-12.3
		c.lose(now, lossOf{method: stun.MethodChannelBind, verdict: v, outOfSync: true})
		return
	}
	c.noteExpiredCredentials(v, stun.MethodChannelBind)
	c.channelRefused(now, ch, tx.number, v)
}

func (c *Client) channelRefused(now time.Duration, ch *channel, number uint16, v verdict) {
	ch.busy = false
	c.rearm()
	if ch.good(now) && !refusesPeer(v) {
		ch.refreshAt = c.retryAt(now, v)
		return
	}
	// After silence the server may have bound it all the same (H4).
	ch.refused = v.code != 0
	e := v.event(ChannelFailed)
	e.Method, e.Peer, e.Channel = stun.MethodChannelBind, ch.peer, number
	ch.wanted, ch.told, ch.goodUntil = false, false, 0
	addr := ch.peer.Addr()
	c.emit(e)
	if p := c.permission(addr); p != nil && !c.permissionWanted(p) && !p.good(now) {
		c.dropPermission(p, v)
	}
}

// probe asks with a Refresh whether the allocation is still there; number is
// the channel that waits for the answer, 0 for none.
func (c *Client) probe(now time.Duration, number uint16) {
	c.request(transaction{purpose: forProbe, signer: c.auth.signer, number: number}, now)
	c.pump(now)
}

// probeSucceeded: the allocation lives, so the same number once more.
func (c *Client) probeSucceeded(now time.Duration, number uint16) {
	if ch := c.channelBy(number); ch != nil {
		ch.retried = true
		c.requestChannel(now, ch, number)
		c.pump(now)
	}
}

func (c *Client) probeFailed(now time.Duration, number uint16, v verdict) {
	if ch := c.channelBy(number); ch != nil {
		c.channelRefused(now, ch, number, v)
	}
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
