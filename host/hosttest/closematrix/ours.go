package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// ours is a Conn of package host.
type ours struct {
	rt    *host.Runtime
	proxy *ht.Proxy
	cfg   host.Config
	conn  *host.Conn
	mine  *mine // nil: the Runtime is shared with other cells
}

func newOurs(rt *host.Runtime, proxy *ht.Proxy, server, local netip.AddrPort) *ours {
	o := &ours{rt: rt, proxy: proxy, cfg: host.Config{
		URL: "turn:" + server.String(), Username: ht.Username, Password: ht.Password,
	}}
	if local.IsValid() {
		o.cfg.LocalAddr = local.String()
	}
	return o
}

func (o *ours) open(ctx context.Context) (err error) {
	o.conn, err = o.rt.Open(ctx, o.cfg)
	return err
}

func (o *ours) closeAt(ctx context.Context, phase client.Phase, linger time.Duration) (verdict, error) {
	if err := o.open(ctx); err != nil {
		return verdict{}, err
	}
	if err := o.conn.CloseAt(phase, linger); err != nil {
		return verdict{}, err
	}
	if err := o.conn.Allocate(ctx); err != nil && !errors.Is(err, net.ErrClosed) {
		return verdict{}, err
	}
	return o.close(ctx, linger)
}

// cancelled: a Dial's error carries no verdict, so what it leaves behind is all
// that can be judged.
func (o *ours) cancelled(ctx context.Context) (verdict, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		o.proxy.Await(ctx, func(r ht.Record) bool { return ht.IsSignedAllocate(r.Passage) })
	}()
	conn, err := o.rt.Dial(ctx, o.cfg)
	if errors.Is(err, context.Canceled) {
		return verdict{outcome: cancelled}, nil
	}
	if err == nil {
		o.conn = conn
		err = errors.New("the Dial was faster than its context's end")
	}
	return verdict{}, err
}

func (o *ours) allocate(ctx context.Context) error {
	if err := o.open(ctx); err != nil {
		return err
	}
	return o.conn.Allocate(ctx)
}

func (o *ours) refreshing(ctx context.Context) error {
	go o.conn.Refresh(ctx) // its end is the close's affair
	_, err := o.proxy.Await(ctx, func(r ht.Record) bool { return ht.IsRefresh(r.Passage) })
	return err
}

func (o *ours) close(ctx context.Context, linger time.Duration) (verdict, error) {
	closed, err := o.conn.CloseWith(ctx, linger)
	return verdict{closed.Outcome.String(), closed.ReuseAfter}, err
}

// trap: the native engine's panic is recovered by the instance and ends this
// client alone; the module's cannot be.
func (o *ours) trap(ctx context.Context) (verdict, error) {
	if o.mine == nil {
		return verdict{}, errNotApplicable
	}
	o.mine.armed.Store(true)
	if err := o.conn.Refresh(ctx); err == nil {
		return verdict{}, errors.New("the mine did not blow up")
	}
	closed, err := o.conn.CloseWith(ctx, defaultLinger)
	if err == nil && o.rt.Engine() == host.Wasm && closed.Reason != "trapped" {
		err = fmt.Errorf("closed because of %q, not because of the trap", closed.Reason)
	}
	return verdict{closed.Outcome.String(), closed.ReuseAfter}, err
}

func (o *ours) works(ctx context.Context) error { return o.conn.Refresh(ctx) }

func (o *ours) local() netip.AddrPort { return o.conn.Local() }

func (o *ours) end() {
	if o.conn != nil {
		o.conn.CloseWith(context.Background(), 0)
	}
}
