package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/turnwasm/turnwasm/host"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

var dataRows = []row{
	{name: "permissions", change: func(cfg *host.Config) { cfg.NoAutoPermission = true }, use: permits},
	{name: "Send and Data indications", use: indicates},
	{name: "channels", use: channels},
}

// echoed sends what WriteTo sends by itself.
func echoed(ctx context.Context, c *cell) error { return c.echoes(ctx, c.echo.Addr(), 100) }

// permits: a peer with a permission is heard, of those that have asked for one
// together. One without is not: it speaks first, and is not what comes first.
func permits(ctx context.Context, c *cell) error {
	stranger, err := ht.DialRaw(netip.MustParseAddrPort("127.0.0.2:0"), c.conn.Relayed())
	if err != nil {
		return err
	}
	defer stranger.Close()
	friend := netip.MustParseAddr("127.0.0.3")
	if err := c.conn.CreatePermission(ctx, c.echo.Addr().Addr(), friend); err != nil {
		return err
	}
	if err := stranger.Send([]byte("let me in")); err != nil {
		return err
	}
	if err := echoed(ctx, c); err != nil {
		return err
	}
	peer, err := c.startEcho(friend)
	if err != nil {
		return err
	}
	return c.echoes(ctx, peer.Addr(), 50)
}

func indicates(ctx context.Context, c *cell) error {
	if err := echoed(ctx, c); err != nil {
		return err
	}
	return c.wantBoth(
		func(r ht.Record) bool { return r.ToServer && r.Type == ht.SendIndication },
		func(r ht.Record) bool { return !r.ToServer && r.Type == ht.DataIndication })
}

// channels: two at a time.
func channels(ctx context.Context, c *cell) error {
	for range 2 {
		peer, err := c.startEcho(netip.Addr{})
		if err != nil {
			return err
		}
		if err := c.conn.BindChannel(ctx, peer.Addr()); err != nil {
			return err
		}
		if err := c.echoes(ctx, peer.Addr(), 101); err != nil {
			return err
		}
	}
	if c.seen(func(r ht.Record) bool { return r.Type == ht.SendIndication }) {
		return errors.New("it was sent without the channel")
	}
	return c.wantBoth(
		func(r ht.Record) bool { return r.ToServer && r.Channel != 0 },
		func(r ht.Record) bool { return !r.ToServer && r.Channel != 0 })
}

// wantBoth: something like it went to the server, and something came back.
func (c *cell) wantBoth(there, back func(ht.Record) bool) error {
	if !c.seen(there) || !c.seen(back) {
		return fmt.Errorf("not so: there %t, back %t", c.seen(there), c.seen(back))
	}
	return nil
}
