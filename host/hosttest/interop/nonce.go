package main

import (
	"context"
	"errors"
	"time"

	"github.com/turnwasm/turnwasm/host"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// 438 to each method. coturn's nonces live a second here, so it is enough to
// wait; pion's an hour, so the proxy forges a first 438, with a nonce that pion
// never gave: pion's own 438 to that one is what is looked for.
var nonceRows = []row{
	{name: "438 to Allocate", flags: shortNonces, fault: staleAllocate, change: patiently, use: stale(ht.AllocateRequest, nil, echoed)},
	{name: "438 to Refresh", flags: shortNonces, use: stale(ht.RefreshRequest, ht.IsRefresh, func(ctx context.Context, c *cell) error {
		return c.conn.Refresh(ctx)
	})},
	{name: "438 to CreatePermission", flags: shortNonces, use: stale(ht.PermissionRequest, is(ht.PermissionRequest), func(ctx context.Context, c *cell) error {
		return c.conn.CreatePermission(ctx, c.echo.Addr().Addr())
	})},
	{name: "438 to ChannelBind", flags: shortNonces, use: stale(ht.ChannelBindRequest, is(ht.ChannelBindRequest), channelled)},
	{name: "438 to the release", flags: shortNonces, use: stale(ht.RefreshRequest, ht.IsRelease, func(ctx context.Context, c *cell) error {
		return c.release(ctx)
	})},
}

var shortNonces = []string{"--stale-nonce=1"}

const nonceDies = 3200 * time.Millisecond // coturn counts whole seconds, and notices late on a busy machine

func is(request uint16) ht.Match {
	return func(p ht.Passage) bool { return p.ToServer && p.Type == request }
}

// staleAllocate: the challenge's nonce has died when the signed Allocate comes.
func staleAllocate(c *cell) ht.Fault {
	if c.coturn == nil {
		return ht.First(1, ht.IsSignedAllocate, ht.StaleNonce)
	}
	return ht.First(1, ht.IsSignedAllocate, ht.Delay(nonceDies))
}

// patiently: no other copy of the Allocate comes before the one that is late.
func patiently(cfg *host.Config) { cfg.RTO = 2 * nonceDies }

// stale does it with a nonce that has died, and wants the server's own 438.
func stale(request uint16, match ht.Match, do func(context.Context, *cell) error) func(context.Context, *cell) error {
	return func(ctx context.Context, c *cell) error {
		switch {
		case match == nil:
		case c.coturn == nil:
			c.proxy.SetFault(ht.First(1, match, ht.StaleNonce))
		default:
			if err := sleep(ctx, nonceDies); err != nil {
				return err
			}
		}
		if err := do(ctx, c); err != nil {
			return err
		}
		if !c.answered(request, 438) {
			return errors.New("the server does not say 438")
		}
		return nil
	}
}
