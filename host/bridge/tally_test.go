package bridge

import (
	"net"
	"net/netip"
	"testing"
)

func TestHouseholds(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7":            "192.0.2.7/32",
		"::ffff:192.0.2.7":     "192.0.2.7/32",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::":  "2001:db8:1:2::/64",
		"2001:db8:1:3::":       "2001:db8:1:3::/64",
		"fe80::1":              "fe80::/64",
	} {
		if got := household(&net.UDPAddr{IP: net.ParseIP(address), Port: 1, Zone: ""}).String(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	zoned := household(&net.UDPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0"})
	if got := zoned.String(); got != "fe80::/64" {
		t.Errorf("with a zone: %s", got)
	}
}

func TestATallyForgetsWhoIsGone(t *testing.T) {
	tally := newTally(3, 2)
	one, two := household(&net.UDPAddr{IP: net.IPv4(192, 0, 2, 1)}), household(&net.UDPAddr{IP: net.IPv4(192, 0, 2, 2)})
	for i, c := range []struct {
		who  netip.Prefix
		want Code
	}{{one, 0}, {one, 0}, {one, CodeAddressLimit}, {two, 0}, {two, CodeSessionLimit}} {
		if got := tally.take(c.who); got != c.want {
			t.Errorf("take %d: %v, want %v", i, got, c.want)
		}
	}
	tally.give(one)
	tally.give(one)
	tally.give(two)
	if len(tally.each) != 0 || tally.all != 0 {
		t.Errorf("left: %+v", tally)
	}
}
