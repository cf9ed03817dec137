package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// cell is one feature, played by one client against a server of its own.
type cell struct {
	*row
	column    column
	runtime   *host.Runtime
	authority *ht.Authority
	dir       string // for files, removed afterwards

	// What the server and the client are made with; the row's prepare may add to it.
	flags  []string // coturn's
	pion   ht.PionOptions
	config host.Config

	server    ht.Server
	coturn    *ht.Coturn // nil: pion
	proxy     *ht.Proxy  // in front of the server, for UDP
	echo      *ht.Echo
	conn      *host.Conn
	events    []host.Event                          // taken so far
	alternate ht.Server                             // where a 300 points
	token     func() (token, key []byte, err error) // hands one out
	closer    []interface{ Close() error }
}

// play runs the row. At its end the server holds what the row leaves, and no more.
func (c *cell) play(ctx context.Context) error {
	if c.prepare != nil {
		if err := c.prepare(ctx, c); err != nil {
			return err
		}
	}
	if err := c.start(ctx); err != nil {
		return err
	}
	if c.url != nil {
		c.config.URL = c.url(c)
	}
	if c.change != nil {
		c.change(&c.config)
	}
	if err := c.act(ctx); err != nil {
		return err
	}
	if c.left == whatever {
		return nil
	}
	held, err := ht.AwaitHeld(ctx, c.server, c.left)
	if err == nil && held != c.left {
		err = fmt.Errorf("the server holds %d allocations at the end, want %d", held, c.left)
	}
	return err
}

// act does what the row is about.
func (c *cell) act(ctx context.Context) error {
	switch {
	case c.column.engine == 0:
		return c.check(ctx)
	case c.instead != nil:
		return c.instead(ctx, c)
	case c.refused != 0:
		return c.refusal(ctx)
	}
	if err := c.dial(ctx); err != nil {
		return err
	}
	use := c.use
	if use == nil {
		use = echoed
	}
	if err := use(ctx, c); err != nil {
		return err
	}
	return c.release(ctx)
}

// start starts the server, with a proxy in front and an echo peer behind.
func (c *cell) start(ctx context.Context) (err error) {
	if c.column.server.name == pion {
		c.server, err = ht.StartPion(c.pion)
	} else if c.coturn, err = ht.StartCoturnFrom(ctx, c.column.server.program, c.flags...); err == nil {
		c.server = c.coturn
	}
	if err != nil {
		return err
	}
	c.closer = append(c.closer, c.server)
	if c.proxy, err = ht.StartProxy(c.server.Addr()); err != nil {
		return err
	}
	c.closer = append(c.closer, c.proxy)
	if c.fault != nil {
		c.proxy.SetFault(c.fault(c))
	}
	c.config.URL = "turn:" + c.proxy.Addr().String()
	c.config.TLS, c.config.ServerName = &tls.Config{RootCAs: c.authority.Roots}, certName
	c.echo, err = c.startEcho(netip.Addr{})
	return err
}

func (c *cell) startEcho(ip netip.Addr) (*ht.Echo, error) {
	e, err := ht.StartEcho(ip)
	if err == nil {
		c.closer = append(c.closer, e)
	}
	return e, err
}

// end gives back what was started, the newest first.
func (c *cell) end() {
	if c.conn != nil {
		_, _ = c.conn.CloseWith(context.Background(), 0) // after a failure; else it is closed already
	}
	for i := len(c.closer) - 1; i >= 0; i-- {
		_ = c.closer[i].Close()
	}
}

func (c *cell) dial(ctx context.Context) (err error) {
	c.conn, err = c.runtime.Dial(ctx, c.config)
	return err
}

// refusal: the Dial fails with the row's code.
func (c *cell) refusal(ctx context.Context) error {
	err := c.dial(ctx)
	why, is := errors.AsType[*host.RequestError](err)
	switch {
	case err == nil:
		return fmt.Errorf("allocated, want %d", c.refused)
	case !is || why.Code != c.refused:
		return fmt.Errorf("%w; want %d", err, c.refused)
	}
	return nil
}

// linger is far more than a release takes here, its 438 included.
const linger = 4 * time.Second

func (c *cell) release(ctx context.Context) error {
	closed, err := c.conn.CloseWith(ctx, linger)
	if err == nil && closed.Outcome != client.Released {
		err = fmt.Errorf("closed: %s %s, want released", closed.Outcome, closed.Reason)
	}
	return err
}

// event takes events until one of that kind comes.
func (c *cell) event(ctx context.Context, kind client.EventKind) (host.Event, error) {
	for {
		select {
		case e, open := <-c.conn.Events():
			if !open {
				return e, fmt.Errorf("closed without the event %v", kind)
			}
			c.events = append(c.events, e)
			if e.Kind == kind {
				return e, nil
			}
		case <-ctx.Done():
			return host.Event{}, fmt.Errorf("no event %v: %w", kind, ctx.Err())
		}
	}
}

// happened looks through the events that have come, without a wait: those of an
// Allocate are there when Dial returns.
func (c *cell) happened(kind client.EventKind) (host.Event, bool) {
	for len(c.conn.Events()) > 0 {
		c.events = append(c.events, <-c.conn.Events())
	}
	for _, e := range c.events {
		if e.Kind == kind {
			return e, true
		}
	}
	return host.Event{}, false
}

// echoes sends a payload to the peer until it comes back: a datagram may be
// lost, and a permission may be on its way.
func (c *cell) echoes(ctx context.Context, peer netip.AddrPort, size int) error {
	buf, payload := make([]byte, 2048), make([]byte, size)
	for i := range payload {
		payload[i] = byte(i + size)
	}
	for ctx.Err() == nil {
		if _, err := c.conn.WriteTo(payload, net.UDPAddrFromAddrPort(peer)); err != nil {
			return err
		}
		if err := c.conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			return err
		}
		n, from, err := c.conn.ReadFrom(buf)
		switch {
		case err == nil && string(buf[:n]) == string(payload) && from.String() == peer.String():
			return nil
		case err == nil:
			return fmt.Errorf("%d bytes from %v, want the echo of %d from %v", n, from, size, peer)
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		}
	}
	return fmt.Errorf("no echo from %v: %w", peer, ctx.Err())
}

// seen: something like it has come by the proxy.
func (c *cell) seen(match func(ht.Record) bool) bool {
	for _, r := range c.proxy.Log() {
		if !r.Forged && match(r) {
			return true
		}
	}
	return false
}

// answered: the server itself has said that code to a request of the type.
func (c *cell) answered(request uint16, code int) bool {
	return c.seen(func(r ht.Record) bool { return !r.ToServer && r.Type == request|0x0110 && r.Code == code })
}
