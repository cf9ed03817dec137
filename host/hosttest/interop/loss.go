package main

import (
	"context"
	"errors"

	"github.com/turnwasm/turnwasm/client"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// lost: the server drops the allocation, and the next Refresh finds out.
func lost(ctx context.Context, c *cell) error {
	if err := c.coturn.CancelAll(); err != nil {
		return err
	}
	if err := c.conn.Refresh(ctx); err == nil {
		return errors.New("what is not there was refreshed")
	}
	if err := c.lostBy(ctx, ht.RefreshRequest); err != nil {
		return err
	}
	return c.ended(ctx)
}

func lostByChannelBind(ctx context.Context, c *cell) error {
	if err := c.coturn.CancelAll(); err != nil {
		return err
	}
	if err := c.conn.BindChannel(ctx, c.echo.Addr()); err == nil {
		return errors.New("what is not there got a channel")
	}
	if !c.answered(ht.ChannelBindRequest, 400) {
		return errors.New("the server does not say 400")
	}
	if err := c.lostBy(ctx, ht.RefreshRequest); err != nil {
		return err
	}
	return c.ended(ctx)
}

func (c *cell) lostBy(ctx context.Context, request uint16) error {
	if _, err := c.event(ctx, client.AllocationLost); err != nil {
		return err
	}
	if !c.answered(request, 437) {
		return errors.New("the server does not say 437")
	}
	return nil
}

// ended: there is nothing more to release, so there is another one to do it with.
func (c *cell) ended(ctx context.Context) error {
	if _, err := c.conn.CloseWith(ctx, linger); err != nil {
		return err
	}
	return c.dial(ctx)
}

func anew(ctx context.Context, c *cell) error {
	if err := channelled(ctx, c); err != nil {
		return err
	}
	if _, err := c.event(ctx, client.Allocated); err != nil {
		return err
	}
	before := c.conn.Relayed()
	if err := c.coturn.CancelAll(); err != nil {
		return err
	}
	_ = c.conn.Refresh(ctx) // it fails, and that is how the loss is noticed
	if _, err := c.event(ctx, client.Allocated); err != nil {
		return err
	}
	if c.conn.Relayed() == before {
		return errors.New("the relayed address has not changed")
	}
	return echoed(ctx, c)
}
