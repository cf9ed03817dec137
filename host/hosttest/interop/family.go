package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

var (
	ipv6Relay  = []string{"--relay-ip=::1"}
	ipv6Server = append([]string{"--listening-ip=::1"}, ipv6Relay...)
)

// Address families of the relayed address.
var familyRows = []row{
	{name: "IPv4", change: family(client.FamilyIPv4), use: relays(true)},
	{
		name: "IPv6, by an IPv6 server", flags: ipv6Server, pion: ht.PionOptions{Listen: netip.MustParseAddrPort("[::1]:0")},
		url: overIPv6, change: family(client.FamilyIPv6), use: relays(false), js: true, arguments: []string{"-family", "6"},
	},
	{name: "IPv6, by an IPv4 server", flags: ipv6Relay, pion: ht.PionOptions{Relay6: true}, change: family(client.FamilyIPv6), use: relays(false)},
	{name: "both families", flags: ipv6Relay, pion: ht.PionOptions{Relay6: true}, change: family(client.FamilyBoth), use: relaysBoth},
	{name: "both families, one is there", change: family(client.FamilyBoth), use: relaysOne},
}

func family(f client.Family) func(*host.Config) {
	return func(cfg *host.Config) { cfg.Family = f }
}

// overIPv6: coturn listens on the same port of either family.
func overIPv6(c *cell) string {
	return "turn:" + netip.AddrPortFrom(netip.IPv6Loopback(), c.server.Addr().Port()).String()
}

func relays(ipv4 bool) func(context.Context, *cell) error {
	return func(ctx context.Context, c *cell) error {
		if c.conn.Relayed().Addr().Is4() != ipv4 {
			return fmt.Errorf("the relayed address is %v", c.conn.Relayed())
		}
		if ipv4 {
			return echoed(ctx, c)
		}
		return c.echoesIPv6(ctx)
	}
}

func (c *cell) echoesIPv6(ctx context.Context) error {
	peer, err := c.startEcho(netip.IPv6Loopback())
	if err != nil {
		return err
	}
	return c.echoes(ctx, peer.Addr(), 100)
}

func relaysBoth(ctx context.Context, c *cell) error {
	if e, refused := c.happened(client.AddressRefused); refused || !c.conn.Additional().IsValid() {
		return fmt.Errorf("one address is given, %v (%d)", c.conn.Relayed(), e.Code)
	}
	if err := c.echoesIPv6(ctx); err != nil {
		return err
	}
	return echoed(ctx, c)
}

// relaysOne: the server has IPv4 alone, and an event tells of the other family.
func relaysOne(ctx context.Context, c *cell) error {
	if e, refused := c.happened(client.AddressRefused); !refused || e.Family != client.FamilyIPv6 {
		return errors.New("nobody says that there is no IPv6")
	}
	return echoed(ctx, c)
}
