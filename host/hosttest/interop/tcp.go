package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/host"
)

// RFC 6062: the relayed address relays TCP connections.
var tcpRows = []row{
	{name: "TCP relay: a connection to a peer", prepare: relayTCP, url: over("turn:", 0, "?transport=tcp"), use: dials},
	{name: "TCP relay: a connection to a peer, over TLS", prepare: relayTCP, url: over("turns:", 1, ""), use: dials},
	{name: "TCP relay: a peer connects", prepare: relayTCP, url: over("turn:", 0, "?transport=tcp"), use: listens},
	{name: "TCP relay: a peer connects, over TLS", prepare: relayTCP, url: over("turns:", 1, ""), use: listens},
	{name: "TCP relay: the success of ConnectionBind is signed", prepare: relayTCP, url: over("turn:", 0, "?transport=tcp"), change: signedBind, use: dials},
	{name: "447: the peer does not listen", prepare: relayTCP, url: over("turn:", 0, "?transport=tcp"), use: unreachable},
	{name: "442: no TCP relay", only: coturn, flags: []string{"--no-tcp-relay"}, prepare: relayTCP, url: over("turn:", 0, "?transport=tcp"), refused: 442},
}

// relayTCP takes pion's unsigned success of a ConnectionBind, as it comes.
func relayTCP(ctx context.Context, c *cell) error {
	c.config.RelayTCP, c.config.UnsignedBind = true, c.column.server.name == pion
	return listen(ctx, c)
}

func signedBind(cfg *host.Config) { cfg.UnsignedBind = false }

// dials reaches an echo outside.
func dials(ctx context.Context, c *cell) error {
	outside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer outside.Close()
	served := make(chan struct{})
	go func() {
		defer close(served)
		echoOne(outside, "")
	}()
	conn, err := c.conn.DialTCP(ctx, netip.MustParseAddrPort(outside.Addr().String()))
	if err != nil {
		return err
	}
	err = errors.Join(returns(conn), conn.Close())
	<-served
	return err
}

// listens is reached from outside, and echoes.
func listens(ctx context.Context, c *cell) error {
	if err := c.conn.CreatePermission(ctx, netip.MustParseAddr("127.0.0.1")); err != nil {
		return err
	}
	l, err := c.conn.ListenTCP()
	if err != nil {
		return err
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		echoOne(l, hello)
	}()
	outside, err := new(net.Dialer).DialContext(ctx, "tcp", c.conn.Relayed().String())
	if err == nil {
		err = errors.Join(greeted(outside), outside.Close())
	}
	err = errors.Join(err, l.Close())
	<-served
	return err
}

// tcpPatience is for a connection as a whole.
const tcpPatience = 10 * time.Second

const hello = "hello"

// echoOne greets one connection and echoes what comes.
func echoOne(l net.Listener, greeting string) {
	conn, err := l.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(tcpPatience))
	_, _ = io.WriteString(conn, greeting)
	_, _ = io.Copy(conn, conn)
}

// greeted waits for the greeting first: coturn keeps sixteen reads of what a peer
// sends before the ConnectionBind, and drops the rest.
func greeted(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(tcpPatience)); err != nil {
		return err
	}
	got := make([]byte, len(hello))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != string(hello) {
		return fmt.Errorf("no greeting: %q, %w", got, err)
	}
	return returns(conn)
}

// returns: what is written comes back.
func returns(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(tcpPatience)); err != nil {
		return err
	}
	want := make([]byte, 100_000)
	for i := range want {
		want[i] = byte(i * 7)
	}
	wrote := make(chan error, 1)
	go func() {
		_, err := conn.Write(want)
		wrote <- err
	}()
	got := make([]byte, len(want))
	n, err := io.ReadFull(conn, got)
	if err == nil && string(got) != string(want) {
		err = errors.New("other bytes came back")
	}
	if err != nil {
		err = fmt.Errorf("after %d bytes: %w", n, err)
	}
	return errors.Join(err, <-wrote)
}

// unreachable: a port on which nobody listens.
func unreachable(ctx context.Context, c *cell) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	peer := netip.MustParseAddrPort(l.Addr().String())
	if err := l.Close(); err != nil {
		return err
	}
	_, err = c.conn.DialTCP(ctx, peer)
	return wantCode(err, 447)
}
