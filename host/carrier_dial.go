package host

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pion/dtls/v3"
	dtlsnet "github.com/pion/dtls/v3/pkg/net"

	"github.com/turnwasm/turnwasm/client"
)

// mostDial bounds a connection's making, its handshake included.
const mostDial = 15 * time.Second

// openCarrier opens what is not plain UDP.
func openCarrier(ctx context.Context, flow client.Flow, local, server netip.AddrPort, s *settings) (*transport, error) {
	ctx, cancel := context.WithTimeout(ctx, mostDial)
	defer cancel()
	t := &transport{flow: flow, server: server, trace: s.Trace}
	var at net.Addr
	var err error
	if s.via == overDTLS {
		at, err = t.openDTLS(ctx, local, s)
	} else {
		at, err = t.openStream(ctx, local, s)
	}
	if err != nil {
		return nil, err
	}
	t.local = addrPortOf(at)
	return t, nil
}

func addrPortOf(a net.Addr) netip.AddrPort {
	var at netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		at = a.AddrPort()
	case *net.UDPAddr:
		at = a.AddrPort()
	}
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

func (t *transport) openStream(ctx context.Context, local netip.AddrPort, s *settings) (net.Addr, error) {
	conn, raw, err := dialStream(ctx, local, t.server, s)
	if err != nil {
		return nil, err
	}
	w := newStreamWire(conn, raw)
	t.sock, t.wire, t.stream = w, w, w
	return raw.LocalAddr(), nil
}

// dialStream connects to the server: conn is raw, or TLS over it.
func dialStream(ctx context.Context, local, server netip.AddrPort, s *settings) (conn net.Conn, raw *net.TCPConn, err error) {
	var d net.Dialer
	if local.IsValid() || local.Port() != 0 {
		d.LocalAddr = &net.TCPAddr{IP: local.Addr().AsSlice(), Port: int(local.Port())}
	}
	conn, err = d.DialContext(ctx, "tcp", server.String())
	if err != nil {
		return nil, nil, err
	}
	raw, ok := conn.(*net.TCPConn)
	if !ok {
		conn.Close()
		return nil, nil, fmt.Errorf("a TCP connection is a %T", conn)
	}
	if s.via == overTLS {
		secured := tls.Client(raw, s.TLS)
		if err := secured.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, nil, fmt.Errorf("TLS with %v: %w", server, err)
		}
		conn = secured
	}
	return conn, raw, nil
}

func (t *transport) openDTLS(ctx context.Context, local netip.AddrPort, s *settings) (net.Addr, error) {
	var d net.Dialer
	if local.IsValid() || local.Port() != 0 {
		d.LocalAddr = &net.UDPAddr{IP: local.Addr().AsSlice(), Port: int(local.Port())}
	}
	conn, err := d.DialContext(ctx, "udp", t.server.String())
	if err != nil {
		return nil, err
	}
	sock, ok := conn.(*net.UDPConn)
	if !ok {
		conn.Close()
		return nil, fmt.Errorf("a UDP socket is a %T", conn)
	}
	s.sizeBuffers(sock)
	secured, err := dtls.ClientWithOptions(dtlsnet.PacketConnFromConn(sock), sock.RemoteAddr(), dtlsOptions(s.TLS)...)
	if err == nil {
		err = secured.HandshakeContext(ctx)
	}
	if err != nil {
		sock.Close()
		return nil, fmt.Errorf("DTLS with %v: %w", t.server, errors.Join(err, ctx.Err()))
	}
	w := &dtlsWire{Conn: secured, sock: sock}
	t.sock, t.wire = w, w
	return sock.LocalAddr(), nil
}
