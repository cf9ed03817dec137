package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// patience is for what is under way at the end.
const patience = time.Second

// play is one run: a server, a client, a peer, and the change in the midst of it.
func (o *options) play(ctx context.Context, w way, e host.Engine) (err error) {
	at, local, err := w.before(ctx)
	if err != nil {
		return err
	}
	server, err := ht.StartCoturnFrom(ctx, o.program, "--mobility", "--listening-ip="+at.String())
	if err != nil {
		return err
	}
	defer server.Close()
	rt, err := host.New(ctx, host.WithEngine(e))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.Close()) }()
	conn, err := rt.Dial(ctx, host.Config{
		URL: "turn:" + netip.AddrPortFrom(at, server.Addr().Port()).String(), Username: ht.Username, Password: ht.Password,
		LocalAddr: local.String(), Mobility: true,
	})
	if err != nil {
		return err
	}
	if err := errors.Join(o.traffic(ctx, w, e, conn), release(ctx, conn)); err != nil {
		return err
	}
	if held, err := ht.AwaitHeld(ctx, server, 0); err != nil || held != 0 {
		return fmt.Errorf("the server holds %d allocations at the end (%v)", held, err)
	}
	return nil
}

func release(ctx context.Context, conn *host.Conn) error {
	closed, err := conn.CloseWith(ctx, 2*time.Second)
	if err == nil && closed.Outcome != client.Released {
		err = fmt.Errorf("closed: %s %s", closed.Outcome, closed.Reason)
	}
	return err
}

// traffic goes for a second before the change.
func (o *options) traffic(ctx context.Context, w way, e host.Engine, conn *host.Conn) error {
	traffic, err := ht.NewTraffic(netip.Addr{})
	if err != nil {
		return err
	}
	if err := conn.BindChannel(ctx, traffic.Peer()); err != nil {
		return err
	}
	relayed, local := conn.Relayed(), conn.Local()
	traffic.Start(conn, time.Second/time.Duration(o.rate))
	err = traffic.Await(o.rate)
	var took time.Duration
	if err == nil {
		traffic.Mark()
		err = w.change(ctx, conn)
		took = time.Since(traffic.Marked())
	}
	if err == nil {
		err = traffic.Await(o.rate * o.seconds)
	}
	if err := errors.Join(err, traffic.Stop(patience)); err != nil {
		return err
	}
	fmt.Printf("%s, %s, local %v -> %v: moved in %s; to the peer %s; from the peer %s\n", w, e, local, conn.Local(), ms(took),
		told(&traffic.ToPeer, traffic.Marked()), told(&traffic.ToUs, traffic.Marked()))
	return o.judge(conn, relayed, traffic)
}

func (o *options) judge(conn *host.Conn, relayed netip.AddrPort, traffic *ht.Traffic) error {
	if conn.Relayed() != relayed {
		return fmt.Errorf("the relayed address is %v, it was %v", conn.Relayed(), relayed)
	}
	for _, s := range []*ht.Stream{&traffic.ToPeer, &traffic.ToUs} {
		if s.Lost() > o.rate || s.Recovery(traffic.Marked()) < 0 {
			return fmt.Errorf("lost %d of %d, more than a second's", s.Lost(), s.Sent())
		}
	}
	return nil
}

func told(s *ht.Stream, since time.Time) string {
	return fmt.Sprintf("lost %d of %d, recovered in %s", s.Lost(), s.Sent(), ms(s.Recovery(since)))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
