package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
)

// somePeer is the peer of a client whose server is the far side: that is the
// peer as well, so nobody has to be there.
var somePeer = netip.MustParseAddrPort("127.0.0.1:40000")

// run carries out one cell with fresh processes. server is the TURN server when
// the far side is not, else the zero AddrPort.
func run(ctx context.Context, s spec, server netip.AddrPort) (_ *result, err error) {
	ours, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	defer theirs.Close()
	s.Peer = server.IsValid()
	far, err := startChild(ctx, "far", &s, theirs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, far.end()) }()
	line, err := far.line()
	if err != nil {
		return nil, err
	}
	at, err := netip.ParseAddrPort(line)
	if err != nil {
		return nil, err
	}
	if s.Server, s.To = at, somePeer; s.Peer {
		s.Server, s.To = server, at
	}
	client, err := startChild(ctx, "client", &s, ours)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, client.end()) }()
	r := &result{spec: &s}
	return r, r.take(client, far)
}

// take lets both work and fetches what they say.
func (r *result) take(client, far *child) error {
	ready, err := client.line()
	if err != nil {
		return err
	}
	if ready != "ready" {
		return fmt.Errorf("%s said %q", client.role, ready)
	}
	if err := client.order("go"); err != nil {
		return err
	}
	if r.spec.receives() {
		if err := far.order("go"); err != nil {
			return err
		}
	}
	if err := client.answer(&r.Told); err != nil {
		return err
	}
	if err := far.order("report %d", r.Told.Total); err != nil {
		return err
	}
	return far.answer(&r.Heard)
}
