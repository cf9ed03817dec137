package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// theirs is pion/turn's client with its defaults. Its close says nothing but
// nil or an error: nil counts as released.
type theirs struct {
	proxy  *ht.Proxy
	client *ht.PionClient
	relay  net.PacketConn
}

func newTheirs(proxy *ht.Proxy, server, local netip.AddrPort) (*theirs, error) {
	c, err := ht.StartPionClient(local, server)
	return &theirs{proxy: proxy, client: c}, err
}

// sentAt is the datagram that a phase begins with.
var sentAt = map[client.Phase]ht.Match{
	client.PhaseAllocating:    ht.IsAllocate,
	client.PhaseAuthenticated: ht.IsSignedAllocate,
}

func (t *theirs) closeAt(ctx context.Context, phase client.Phase, linger time.Duration) (verdict, error) {
	if phase == client.PhaseNew {
		return t.close(ctx, linger)
	}
	allocated := make(chan net.PacketConn, 1)
	go func() {
		relay, _ := t.client.Allocate()
		allocated <- relay
	}()
	_, err := t.proxy.Await(ctx, func(r ht.Record) bool { return sentAt[phase](r.Passage) })
	if err != nil {
		return verdict{}, err
	}
	return t.close(ctx, linger)
}

func (t *theirs) cancelled(ctx context.Context) (verdict, error) {
	return verdict{}, errNotApplicable // its Allocate takes no context
}

func (t *theirs) allocate(context.Context) (err error) {
	if t.relay, err = t.client.Allocate(); err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return nil
}

func (t *theirs) refreshing(context.Context) error { return errNotApplicable } // it has none to call

func (t *theirs) close(context.Context, time.Duration) (verdict, error) {
	said := "released"
	if t.relay != nil && t.relay.Close() != nil {
		said = "error"
	}
	if t.client.Close() != nil {
		said = "error"
	}
	return verdict{outcome: said, reuseAfter: 2 * time.Second}, nil
}

func (t *theirs) trap(context.Context) (verdict, error) { return verdict{}, errNotApplicable }

func (t *theirs) works(context.Context) error { return nil } // it cannot be asked

func (t *theirs) local() netip.AddrPort { return t.client.Local() }

func (t *theirs) end() { t.client.Close() }
