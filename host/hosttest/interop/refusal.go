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
	denied    = netip.MustParseAddr("127.0.0.9")
	deniedBy  = []string{"--denied-peer-ip=127.0.0.9"}
	deniedBy2 = ht.PionOptions{Deny: []netip.Addr{denied}}
)

// The errors of L6 and those of the other requests that a server can be brought to.
var errorRows = []row{
	{name: "400: ChannelBind after the server dropped all, the loss is noticed", only: coturn, use: lostByChannelBind},
	{name: "401: a wrong password", change: wrongPassword, refused: 401},
	{name: "403: CreatePermission for a denied peer", flags: deniedBy, pion: deniedBy2, use: deniedPermission},
	{name: "403: ChannelBind to a denied peer", flags: deniedBy, pion: deniedBy2, use: deniedChannel},
	{name: "420: allocated without what the server does not know", only: pion, change: func(cfg *host.Config) { cfg.DontFragment = true }, use: without(420)},
	{name: "437 to Allocate: another local port", left: whatever, instead: anotherPort},
	{name: "437 to Allocate: the port reclaimed", instead: reclaimed},
	{name: "437 to Refresh: the loss is noticed", only: coturn, use: lost},
	{name: "437 to Refresh: allocated anew", only: coturn, change: func(cfg *host.Config) { cfg.Reallocate = true }, use: anew},
	{name: "440: no IPv6 there", change: family(client.FamilyIPv6), refused: 440},
	{name: "441: another user's port", only: coturn, left: 1, flags: []string{"-u", "user2:pass2"}, change: user2, instead: anotherUser},
	{name: "442: no UDP relay", only: coturn, flags: []string{"--no-udp-relay"}, refused: 442},
	{name: "486: the quota, and the server is left alone", flags: []string{"--user-quota=1"}, pion: ht.PionOptions{Quota: 1}, use: second(486)},
	{name: "508: no port left, and the server is left alone", prepare: onePort, use: second(508)},
	{name: "508: an unknown reservation, allocated without", change: unknownToken, use: without(508)},
}

func wrongPassword(cfg *host.Config) { cfg.Password = "wrong" }

// wantCode: the request failed, by the server's word.
func wantCode(err error, code int) error {
	why, is := errors.AsType[*host.RequestError](err)
	switch {
	case err == nil:
		return fmt.Errorf("it succeeded, want %d", code)
	case !is || why.Code != code:
		return fmt.Errorf("%w; want %d", err, code)
	}
	return nil
}

// deniedPermission: one peer is refused, the other one of the batch is not.
func deniedPermission(ctx context.Context, c *cell) error {
	err := c.conn.CreatePermission(ctx, denied, c.echo.Addr().Addr())
	if err := wantCode(err, 403); err != nil {
		return err
	}
	return echoed(ctx, c)
}

func deniedChannel(ctx context.Context, c *cell) error {
	if err := wantCode(c.conn.BindChannel(ctx, netip.AddrPortFrom(denied, 9)), 403); err != nil {
		return err
	}
	return echoed(ctx, c)
}

// without: the allocation is made without what the server has refused.
func without(code int) func(context.Context, *cell) error {
	return func(ctx context.Context, c *cell) error {
		if e, is := c.happened(client.OptionRefused); !is || e.Code != code {
			return fmt.Errorf("it was not refused by %d (%d)", code, e.Code)
		}
		return echoed(ctx, c)
	}
}

func unknownToken(cfg *host.Config) {
	cfg.ReservationToken = client.ReservationToken{'n', 'o', 'b', 'o', 'd', 'y'}
}

// plant leaves an allocation behind, as a run that was killed does, and answers
// its port.
func (c *cell) plant(ctx context.Context) (netip.AddrPort, error) {
	raw, err := ht.DialRaw(netip.AddrPort{}, c.proxy.Addr())
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer raw.Close()
	m, err := raw.Allocate(ctx)
	if err == nil && m.Code != 0 {
		err = fmt.Errorf("planting: %v", m)
	}
	return raw.Local(), err
}

// anotherPort: a NAT gives us the port that somebody else has left an allocation
// on. Where the server says 437 to a signed Allocate the client releases what may
// be its own; for the same user that is this one.
func anotherPort(ctx context.Context, c *cell) error {
	there, err := c.plant(ctx)
	if err != nil {
		return err
	}
	c.proxy.Reuse(there)
	if err := c.dial(ctx); err != nil {
		return err
	}
	if err := echoed(ctx, c); err != nil {
		return err
	}
	if _, is := c.happened(client.NeedNewPort); !is || !c.answered(ht.AllocateRequest, 437) {
		return fmt.Errorf("no 437, from %v", c.conn.Local())
	}
	return c.release(ctx)
}

// reclaimed: an earlier run of ours has left one on the port that is our own.
func reclaimed(ctx context.Context, c *cell) error {
	there, err := c.plant(ctx)
	if err != nil {
		return err
	}
	c.config.LocalAddr = there.String()
	if err := c.dial(ctx); err != nil {
		return err
	}
	if err := echoed(ctx, c); err != nil {
		return err
	}
	if _, is := c.happened(client.Reclaimed); !is || !c.answered(ht.AllocateRequest, 437) {
		return fmt.Errorf("no 437, or it was not reclaimed, from %v", c.conn.Local())
	}
	return c.release(ctx)
}

func user2(cfg *host.Config) { cfg.Username, cfg.Password = "user2", "pass2" }

// anotherUser: what another user has there cannot be reclaimed.
func anotherUser(ctx context.Context, c *cell) error {
	there, err := c.plant(ctx)
	if err != nil {
		return err
	}
	c.config.LocalAddr = there.String()
	if err := wantCode(c.dial(ctx), 437); err != nil {
		return err
	}
	if !c.answered(ht.RefreshRequest, 441) {
		return errors.New("the server does not say 441")
	}
	return nil
}

// onePort leaves room for one relayed address.
func onePort(_ context.Context, c *cell) error {
	e, err := ht.StartEcho(netip.Addr{})
	if err != nil {
		return err
	}
	defer e.Close() // its port was free a moment ago
	port := e.Addr().Port()
	c.pion.Ports = [2]uint16{port, port}
	c.flags = []string{fmt.Sprintf("--min-port=%d", port), fmt.Sprintf("--max-port=%d", port)}
	return nil
}

// allocates counts the server's Allocates, with their copies.
func (c *cell) allocates() (n int) {
	for _, r := range c.proxy.Log() {
		if ht.IsAllocate(r.Passage) {
			n++
		}
	}
	return n
}

// second: another Dial is refused, and one more is not even sent.
func second(code int) func(context.Context, *cell) error {
	return func(ctx context.Context, c *cell) error {
		other, err := c.runtime.Dial(ctx, c.config)
		if err == nil {
			other.Close()
		}
		if err := wantCode(err, code); err != nil {
			return err
		}
		sent := c.allocates()
		if _, err := c.runtime.Dial(ctx, c.config); !errors.Is(err, host.ErrLeftAlone) {
			return fmt.Errorf("dialled at once again: %v", err)
		}
		if c.allocates() != sent {
			return errors.New("the server was not left alone")
		}
		return echoed(ctx, c)
	}
}
