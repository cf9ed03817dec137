package host

import (
	"net"
	"net/netip"
	"testing"

	"github.com/turnwasm/turnwasm/client"
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

// A connection that is lost between the server's answer and its hand-over leaves
// nobody waiting, and its place in the listener's backlog.
func TestS03LinkLostBeforeItsHandOver(t *testing.T) {
	c := &Conn{driver: &driver{}}
	c.relay = newRelay(c)
	dialled, incoming := netip.MustParseAddrPort("192.0.2.1:80"), netip.MustParseAddrPort("192.0.2.2:80")
	waiting := make(chan dialed, 1)
	c.relay.dials[dialled] = waiting
	c.relay.admitted[2] = new(listener)
	for id, peer := range []netip.AddrPort{1: dialled, 2: incoming} {
		l := &link{c: c, flow: client.Flow(id), id: client.ConnectionID(id)}
		c.relay.links[l.flow] = l
		l.become(linkReady, peer)
		l.cut(net.ErrClosed)
	}
	if d := <-waiting; d.err != net.ErrClosed {
		t.Errorf("the dialler is told %v", d.err)
	}
	if len(c.relay.dials)+len(c.relay.admitted)+len(c.relay.links) > 0 {
		t.Errorf("left behind: %+v", c.relay)
	}
}
