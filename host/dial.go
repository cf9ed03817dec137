package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// Dial allocates a relayed transport address. Its error is a *net.OpError
// around what went wrong: a *RequestError when the server or the path said so.
// When the context ends it returns at once. Where something may be left on the
// server its release goes on in the background; Close waits for it.
//
// A 300 is followed as Config.Redirect says; the events of the Conn begin with
// those Redirected, then.
func (rt *Runtime) Dial(ctx context.Context, cfg Config) (*Conn, error) {
	for {
		c, err := rt.dial(ctx, cfg)
		next, elsewhere := cfg.Redirected(err)
		if !elsewhere || ctx.Err() != nil {
			return c, err
		}
		cfg = next
	}
}

// dial is Dial to one server. What a 300 leaves behind is closed before it
// answers, so that the local port is free.
func (rt *Runtime) dial(ctx context.Context, cfg Config) (*Conn, error) {
	c, err := rt.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	c.retrace()
	if err := c.Allocate(ctx); err != nil {
		_, told := errors.AsType[*RequestError](err)
		c.told.Store(told)
		c.beginClose(max(0, c.settings.Linger))
		if _, elsewhere := cfg.Redirected(err); elsewhere {
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
func (rt *Runtime) Open(ctx context.Context, cfg Config) (*Conn, error) {
	s, err := cfg.check()
	if err != nil {
		return nil, dialError(netip.AddrPort{}, err)
	}
	t, err := connect(ctx, &s)
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

// connect resolves the server's name and opens a socket to the first address
// that takes one.
func connect(ctx context.Context, s *settings) (*transport, error) {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", s.host)
	if err != nil {
		return nil, err
	}
	var all []error
	for _, ip := range ips {
		ip = ip.Unmap()
		if local := s.local.Addr(); local.IsValid() && local.Is4() != ip.Is4() {
			continue
		}
		t, err := openTransport(ctx, 0, s.local, netip.AddrPortFrom(ip, s.port), s)
		if err == nil {
			return t, nil
		}
		all = append(all, err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no address of the local address's family", s.host)
	}
	return nil, join(all)
}
