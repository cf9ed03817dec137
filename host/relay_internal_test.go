package host

import (
	"net"
	"net/netip"
	"testing"
)

// A DialTCP whose context ends at the moment of its answer leaves alone who
// dials the same peer by now.
func TestS03AbandonedDialLeavesTheNext(t *testing.T) {
	c := &Conn{driver: &driver{}}
	c.relay = newRelay(c)
	peer := netip.MustParseAddrPort("192.0.2.1:80")
	answered, next := make(chan dialed, 1), make(chan dialed, 1)
	answered <- dialed{err: net.ErrClosed}
	c.relay.dials[peer] = next
	if err := c.abandon(peer, answered); err != nil {
		t.Error(err)
	}
	if c.relay.dials[peer] == nil {
		t.Error("whoever dials the peer now will never be answered")
	}
	if _ = c.abandon(peer, next); len(c.relay.dials) > 0 {
		t.Error("it is not forgotten")
	}
}
