package main

import (
	"context"
	"net"
	"net/netip"

	"github.com/turnwasm/turnwasm/host/hosttest"
)

// pion is github.com/pion/turn's client with its defaults. It has no batches:
// its relay conn is a net.PacketConn.
type pion struct {
	client *hosttest.PionClient
	relay  net.PacketConn
	peer   net.Addr
}

func (p *pion) open(_ context.Context, s *spec) (err error) {
	if p.client, err = hosttest.StartPionClient(netip.AddrPort{}, s.Server); err != nil {
		return err
	}
	if err = setBuffersOf(p.client.Local()); err != nil {
		return err
	}
	p.peer = net.UDPAddrFromAddrPort(s.To)
	p.relay, err = p.client.Allocate()
	return err
}

func (p *pion) write(payload []byte) error {
	_, err := p.relay.WriteTo(payload, p.peer)
	return err
}

func (p *pion) read(b []byte) (int, error) {
	n, _, err := p.relay.ReadFrom(b)
	return n, err
}

func (p *pion) close() error {
	err := p.relay.Close()
	if closed := p.client.Close(); err == nil {
		err = closed
	}
	return err
}
