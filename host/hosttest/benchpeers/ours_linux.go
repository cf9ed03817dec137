package main

import (
	"context"
	"net"
	"net/netip"

	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// ours is this module's client on one of its engines.
type ours struct {
	engine host.Engine
	rt     *host.Runtime
	conn   *host.Conn
	to     netip.AddrPort
	peer   net.Addr
}

func newOurs(engine string) *ours {
	if engine == "native" {
		return &ours{engine: host.Native}
	}
	return &ours{engine: host.Wasm}
}

func (o *ours) open(ctx context.Context, s *spec) (err error) {
	o.to, o.peer = s.To, net.UDPAddrFromAddrPort(s.To)
	if o.rt, err = host.New(ctx, host.WithEngine(o.engine)); err != nil {
		return err
	}
	o.conn, err = o.rt.Dial(ctx, host.Config{
		URL: "turn:" + s.Server.String(), Username: hosttest.Username, Password: hosttest.Password,
	})
	if err != nil {
		return err
	}
	if err = setBuffersOf(o.conn.Local()); err != nil {
		return err
	}
	return o.conn.BindChannel(ctx, s.To)
}

func (o *ours) write(payload []byte) error {
	_, err := o.conn.WriteTo(payload, o.peer)
	return err
}

func (o *ours) read(b []byte) (int, error) {
	n, _, err := o.conn.ReadFrom(b)
	return n, err
}

func (o *ours) close() error {
	err := o.conn.Close()
	if shut := o.rt.Close(); err == nil {
		err = shut
	}
	return err
}
