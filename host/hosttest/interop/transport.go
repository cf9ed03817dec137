package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/pion/dtls/v3"
)

// Transports to the server: indications and a channel over each.
var transportRows = []row{
	{name: "UDP", prepare: listen, use: eachWay, js: true},
	{name: "TCP", prepare: listen, url: over("turn:", 0, "?transport=tcp"), use: eachWay, js: true},
	{name: "TLS", prepare: listen, url: over("turns:", 1, ""), use: eachWay, js: true},
	{name: "DTLS", prepare: listen, url: over("turns:", 2, "?transport=udp"), use: eachWay},
	{name: "TLS, a certificate that nobody vouches for", prepare: listen, url: over("turns:", 1, ""), instead: distrusted},
	{name: "DTLS, a certificate that nobody vouches for", prepare: listen, url: over("turns:", 2, "?transport=udp"), instead: distrusted},
}

// listen makes the server listen on each transport.
func listen(_ context.Context, c *cell) (err error) {
	flags, err := c.authority.WriteFiles(c.dir)
	c.flags = append(c.flags[:len(c.flags):len(c.flags)], flags...)
	if err != nil || c.column.server.name != pion {
		return err
	}
	const at = "127.0.0.1:0"
	tcp, err := net.Listen("tcp", at)
	if err != nil {
		return err
	}
	secured, err := tls.Listen("tcp", at, &tls.Config{Certificates: []tls.Certificate{c.authority.Leaf}, NextProtos: []string{"stun.turn"}})
	if err != nil {
		return errors.Join(err, tcp.Close())
	}
	datagrams, err := dtls.ListenWithOptions("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)), dtls.WithCertificates(c.authority.Leaf))
	if err != nil {
		return errors.Join(err, tcp.Close(), secured.Close())
	}
	c.pion.Listeners = []net.Listener{tcp, secured, datagrams}
	return nil
}

// over is the URL of a transport: by the name that the certificate is for, where
// there is one.
func over(scheme string, listener int, query string) func(*cell) string {
	return func(c *cell) string {
		var at netip.AddrPort
		switch {
		case c.column.server.name == pion:
			at = netip.MustParseAddrPort(c.pion.Listeners[listener].Addr().String())
		case listener == 0:
			at = c.coturn.Addr()
		default:
			at = c.coturn.Secured()
		}
		if c.column.engine == 0 && listener > 0 {
			_, port, _ := net.SplitHostPort(at.String())
			return scheme + certName + ":" + port + query
		}
		return scheme + at.String() + query
	}
}

// eachWay sends payloads of several lengths by indications and through a channel.
func eachWay(ctx context.Context, c *cell) error {
	if err := c.lengths(ctx); err != nil {
		return err
	}
	if err := c.conn.BindChannel(ctx, c.echo.Addr()); err != nil {
		return err
	}
	return c.lengths(ctx)
}

// lengths are multiples of four. pion waits for padding over DTLS, where there is
// none, and reads no ChannelData of fewer than 9 bytes from a listener.
func (c *cell) lengths(ctx context.Context) error {
	for _, n := range []int{12, 100, 1000, 1200} {
		if err := c.echoes(ctx, c.echo.Addr(), n); err != nil {
			return err
		}
	}
	return nil
}

// distrusted: without our authority's certificate there is no connection.
func distrusted(ctx context.Context, c *cell) error {
	c.config.TLS = nil
	err := c.dial(ctx)
	switch {
	case err == nil:
		return errors.New("connected to whom nobody vouches for")
	case !strings.Contains(err.Error(), "unknown authority"):
		return err
	}
	return nil
}
