package client

import (
	"crypto/rand"
	"net/netip"
	"testing"
	"time"
)

// checkIndexes looks for every entry by its key, and for one that is not there.
func checkIndexes(t *testing.T, c *Client, when string) {
	t.Helper()
	for i := range c.channels {
		ch, number := c.channelOf(c.channels[i].peer)
		if ch != &c.channels[i] || number != c.numberOf(i) {
			t.Fatalf("%s: the channel to %v is found as %v", when, c.channels[i].peer, ch)
		}
	}
	for i := range c.permissions {
		if c.permission(c.permissions[i].addr) != &c.permissions[i] {
			t.Fatalf("%s: the permission of %v is not found", when, c.permissions[i].addr)
		}
	}
	stranger := netip.MustParseAddrPort("203.0.113.250:9")
	if ch, _ := c.channelOf(stranger); ch != nil || c.permission(stranger.Addr()) != nil {
		t.Fatalf("%s: a stranger is found", when)
	}
	if len(c.channelIndex) > 0 && len(c.channelIndex) != len(c.channels) ||
		len(c.permissionIndex) > 0 && len(c.permissionIndex) != len(c.permissions) {
		t.Fatalf("%s: %d channels, %d in the index; %d permissions, %d in the index", when,
			len(c.channels), len(c.channelIndex), len(c.permissions), len(c.permissionIndex))
	}
}

func TestIndexesFollowTheTables(t *testing.T) {
	c, err := New(Config{
		Server: netip.MustParseAddrPort("192.0.2.1:3478"), Username: []byte("u"), Password: []byte("p"), Rand: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.phase = PhaseAllocated
	peer := func(n int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)}), 1000)
	}
	for n := range maxChannels + 10 { // beyond it expired numbers are used again
		ch, err := c.makeChannel(time.Duration(n)*time.Hour, peer(n))
		if err != nil {
			t.Fatal(err)
		}
		ch.wanted, ch.sentAt = n%2 == 0, time.Duration(n)*time.Hour+1
		if n < 30 || n%1000 == 0 || n >= maxChannels {
			checkIndexes(t, c, "a channel more")
		}
	}
	for n := range 40 {
		c.makePermission(peer(n).Addr()).wanted = n%3 == 0
		checkIndexes(t, c, "a permission more")
	}
	for n := range 20 {
		c.deletePermission(peer(2 * n).Addr())
		checkIndexes(t, c, "a permission less")
	}
	c.sweepPermissions(time.Hour)
	checkIndexes(t, c, "swept")
	c.forgetInstalled()
	checkIndexes(t, c, "only what is wanted")
	c.dropWanted()
	checkIndexes(t, c, "nothing")
}
