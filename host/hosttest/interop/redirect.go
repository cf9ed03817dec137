package main

import (
	"context"
	"fmt"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

var redirectRows = []row{
	{name: "300 Try Alternate: followed", only: coturn, prepare: elsewhere, change: func(cfg *host.Config) { cfg.Redirect = host.RedirectAny }, use: redirected},
	{name: "300 Try Alternate: unsigned, not followed", only: coturn, prepare: elsewhere, refused: 300},
}

// elsewhere starts the server to which the row's own sends everybody.
func elsewhere(_ context.Context, c *cell) (err error) {
	if c.alternate, err = ht.StartPion(ht.PionOptions{}); err != nil {
		return err
	}
	c.closer = append(c.closer, c.alternate)
	c.flags = append(c.flags, "--alternate-server="+c.alternate.Addr().String())
	return nil
}

func redirected(ctx context.Context, c *cell) error {
	if _, is := c.happened(client.Redirected); !is || c.conn.Server() != c.alternate.Addr() {
		return fmt.Errorf("the server is %v, want %v", c.conn.Server(), c.alternate.Addr())
	}
	return echoed(ctx, c)
}

var mobilityRows = []row{
	{name: "mobility: the allocation moves", flags: []string{"--mobility"}, change: mobile, use: moves},
	{name: "405 to mobility: allocated without", change: mobile, use: forbidden},
}

func mobile(cfg *host.Config) { cfg.Mobility, cfg.RTO = true, 200*time.Millisecond }

// moves: to another local port; the relayed address and the channel stay.
func moves(ctx context.Context, c *cell) error {
	if err := channelled(ctx, c); err != nil {
		return err
	}
	relayed, local := c.conn.Relayed(), c.conn.Local()
	if err := c.conn.Rebind(ctx); err != nil {
		return err
	}
	if c.conn.Relayed() != relayed || c.conn.Local() == local {
		return fmt.Errorf("relayed %v, it was %v; local %v, it was %v", c.conn.Relayed(), relayed, c.conn.Local(), local)
	}
	return echoed(ctx, c)
}

func channelled(ctx context.Context, c *cell) error {
	if err := c.conn.BindChannel(ctx, c.echo.Addr()); err != nil {
		return err
	}
	return echoed(ctx, c)
}

func forbidden(ctx context.Context, c *cell) error {
	if e, is := c.happened(client.MobilityRefused); !is || e.Code != 405 {
		return fmt.Errorf("the server does not say 405 (%d)", e.Code)
	}
	return echoed(ctx, c)
}
