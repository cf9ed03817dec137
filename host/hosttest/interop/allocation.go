package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

const (
	askedLifetime = 700 * time.Second // servers grant 600 s to who does not ask
	shortLifetime = 4 * time.Second
)

var allocationRows = []row{
	{name: "lifetime: as asked for", change: func(cfg *host.Config) { cfg.Lifetime = askedLifetime }, use: granted},
	{
		name: "lifetime: a short one, refreshed by itself", flags: []string{"--max-allocate-lifetime=4"},
		change: func(cfg *host.Config) { cfg.Lifetime = shortLifetime }, use: outlives,
	},
	{name: "refresh", use: func(ctx context.Context, c *cell) error { return c.conn.Refresh(ctx) }},
	{name: "refresh: a cap on the time between two", change: func(cfg *host.Config) { cfg.RefreshCap = 2 * time.Second }, use: refreshes},
	{name: "keep-alive", change: func(cfg *host.Config) { cfg.Keepalive = time.Second }, use: keepsAlive},
	{name: "EVEN-PORT", change: func(cfg *host.Config) { cfg.EvenPort = client.EvenPortOnly }, use: even},
	{name: "EVEN-PORT: the next one reserved, and taken", change: func(cfg *host.Config) { cfg.EvenPort = client.EvenPortReserve }, use: reserved},
	{name: "DONT-FRAGMENT", change: func(cfg *host.Config) { cfg.DontFragment = true }, use: notRefused},
	{name: "release: the port is free again", use: released},
}

func granted(_ context.Context, c *cell) error {
	if got := c.conn.Lifetime(); got != askedLifetime {
		return fmt.Errorf("the lifetime is %v, want %v", got, askedLifetime)
	}
	return nil
}

// outlives: the relay works after the lifetime that the Allocate was granted. What
// the Refresh is granted is the server's affair: coturn's is ten minutes.
func outlives(ctx context.Context, c *cell) error {
	if c.conn.Lifetime() != shortLifetime {
		return fmt.Errorf("the lifetime is %v, want %v", c.conn.Lifetime(), shortLifetime)
	}
	begin := time.Now()
	if _, err := c.event(ctx, client.Refreshed); err != nil {
		return err
	}
	if err := sleep(ctx, shortLifetime+time.Second-time.Since(begin)); err != nil {
		return err
	}
	return echoed(ctx, c)
}

// refreshes: after two refreshes, that nobody asked for, the relay still works.
func refreshes(ctx context.Context, c *cell) error {
	for range 2 {
		if _, err := c.event(ctx, client.Refreshed); err != nil {
			return err
		}
	}
	return echoed(ctx, c)
}

// keepsAlive: the server bears it, and says nothing.
func keepsAlive(ctx context.Context, c *cell) error {
	if _, err := c.proxy.Await(ctx, func(r ht.Record) bool { return r.ToServer && r.Type == ht.BindingIndication }); err != nil {
		return err
	}
	if err := c.conn.Refresh(ctx); err != nil {
		return err
	}
	return echoed(ctx, c)
}

func even(ctx context.Context, c *cell) error {
	if c.conn.Relayed().Port()%2 != 0 {
		return fmt.Errorf("the relayed address is %v, want an even port", c.conn.Relayed())
	}
	return notRefused(ctx, c)
}

// reserved: the port above goes to who brings the token.
func reserved(ctx context.Context, c *cell) error {
	if err := even(ctx, c); err != nil {
		return err
	}
	e, is := c.happened(client.PortReserved)
	if !is {
		return errors.New("no port is reserved")
	}
	cfg := c.config
	cfg.EvenPort, cfg.ReservationToken = client.EvenPortNone, e.ReservationToken
	second, err := c.runtime.Dial(ctx, cfg)
	if err != nil {
		return err
	}
	if got, want := second.Relayed().Port(), c.conn.Relayed().Port()+1; got != want {
		err = fmt.Errorf("the port for the token is %d, want %d", got, want)
	}
	return errors.Join(err, second.Close())
}

// notRefused: the allocation is made with what was asked for.
func notRefused(ctx context.Context, c *cell) error {
	if e, is := c.happened(client.OptionRefused); is {
		return fmt.Errorf("allocated without it: %d %s", e.Code, e.Reason)
	}
	return echoed(ctx, c)
}

// released: after the rest that the close asks for the same port allocates anew.
func released(ctx context.Context, c *cell) error {
	local := c.conn.Local()
	closed, err := c.conn.CloseWith(ctx, linger)
	if err != nil {
		return err
	}
	if err := sleep(ctx, closed.ReuseAfter); err != nil {
		return err
	}
	c.config.LocalAddr = local.String()
	if err := c.dial(ctx); err != nil {
		return err
	}
	if c.conn.Local() != local {
		return fmt.Errorf("again from %v: it took %v", local, c.conn.Local())
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
