package host

import (
	"context"
	"errors"
	"net"
	"net/netip"
)

// Dial allocates a relayed transport address. Its error is a *net.OpError
// around what went wrong: a *RequestError when the server or the path said so,
// several of them when several addresses were tried. When the context ends it
// returns at once. Where something may be left on a server its release goes on in
// the background; Close waits for it.
//
// Of a server with several addresses the first that allocates is taken; see race.
//
// A 300 is followed as Config.Redirect says; the events of the Conn begin with
// those Redirected, then.
func (rt *Runtime) Dial(ctx context.Context, cfg Config) (*Conn, error) {
	ctx, done, err := rt.within(ctx)
	if err != nil {
		return nil, dialError(netip.AddrPort{}, err)
	}
	defer done()
	c, err := rt.dial(ctx, cfg)
	return dialled(ctx, c, err)
}

func (rt *Runtime) dial(ctx context.Context, cfg Config) (*Conn, error) {
	s, err := cfg.check()
	if err != nil {
		return nil, dialError(netip.AddrPort{}, err)
	}
	places, err := s.places(ctx)
	if err != nil {
		return nil, dialError(netip.AddrPort{}, err)
	}
	return rt.race(ctx, cfg, places, s.local.Port() != 0)
}

// dialAt is Dial to one address, and to those that its 300s name.
func (rt *Runtime) dialAt(ctx context.Context, cfg Config, at netip.AddrPort) (*Conn, error) {
	for {
		c, err := rt.dialOnce(ctx, cfg, at)
		next, elsewhere := cfg.Redirected(err)
		if !elsewhere || ctx.Err() != nil {
			return c, err
		}
		why, _ := errors.AsType[*RequestError](err)
		cfg, at = next, why.Alternate
	}
}

// dialOnce is Dial to one address. Where another will be dialled from the same
// local port, it answers when that is free.
func (rt *Runtime) dialOnce(ctx context.Context, cfg Config, at netip.AddrPort) (*Conn, error) {
	c, err := rt.openAt(ctx, cfg, []netip.AddrPort{at})
	if err != nil {
		return nil, err
	}
	c.retrace()
	if err := c.Allocate(ctx); err != nil {
		_, told := errors.AsType[*RequestError](err)
		c.told.Store(told)
		c.beginClose(max(0, c.settings.Linger))
		if _, elsewhere := cfg.Redirected(err); elsewhere || cfg.patient {
			select {
			case <-c.Done():
			case <-ctx.Done():
			}
		}
		return nil, dialError(c.server, err)
	}
	return c, nil
}

// Open makes the socket and the client, and sends nothing: see Steps of a Dial.
// Of several addresses it takes the first for which a socket can be opened.
func (rt *Runtime) Open(ctx context.Context, cfg Config) (*Conn, error) {
	ctx, done, err := rt.within(ctx)
	if err != nil {
		return nil, dialError(netip.AddrPort{}, err)
	}
	defer done()
	c, err := rt.open(ctx, cfg)
	return dialled(ctx, c, err)
}

func (rt *Runtime) open(ctx context.Context, cfg Config) (*Conn, error) {
	s, err := cfg.check()
	if err != nil {
		return nil, dialError(netip.AddrPort{}, err)
	}
	places, err := s.places(ctx)
	if err != nil {
		return nil, dialError(netip.AddrPort{}, err)
	}
	return rt.openAt(ctx, cfg, places)
}

func (rt *Runtime) openAt(ctx context.Context, cfg Config, places []netip.AddrPort) (*Conn, error) {
	s, err := cfg.check()
	if err != nil {
		return nil, dialError(netip.AddrPort{}, err)
	}
	t, err := connect(ctx, &s, places)
	if err != nil {
		return nil, dialError(netip.AddrPort{}, err)
	}
	c, err := rt.add(ctx, s, t)
	if err != nil {
		t.close()
		return nil, dialError(t.server, err)
	}
	return c, nil
}

func dialError(server netip.AddrPort, err error) error {
	if _, is := errors.AsType[*net.OpError](err); is {
		return err
	}
	e := &net.OpError{Op: "dial", Net: network, Err: err}
	if server.IsValid() {
		e.Addr = net.UDPAddrFromAddrPort(server)
	}
	return e
}

// connect opens a socket to the first of the places that takes one.
func connect(ctx context.Context, s *settings, places []netip.AddrPort) (*transport, error) {
	var all []error
	for _, at := range places {
		t, err := openTransport(ctx, 0, s.local, at, s)
		if err == nil {
			return t, nil
		}
		all = append(all, err)
	}
	return nil, join(all)
}
