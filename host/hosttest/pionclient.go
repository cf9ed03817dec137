package hosttest

import (
	"net"
	"net/netip"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// PionClient is pion/turn's own client with its defaults: the comparison of the
// close matrix, and a second opinion about a server.
type PionClient struct {
	conn   net.PacketConn
	client *turn.Client
}

// StartPionClient opens a socket on local (the zero AddrPort: any of 127.0.0.1)
// and starts a client for server.
func StartPionClient(local, server netip.AddrPort) (*PionClient, error) {
	if !local.IsValid() {
		local = netip.AddrPortFrom(loopback, 0)
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(local))
	if err != nil {
		return nil, err
	}
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: server.String(), STUNServerAddr: server.String(),
		Username: Username, Password: Password, Realm: Realm,
		Conn: conn, LoggerFactory: quiet,
	})
	if err == nil {
		err = client.Listen()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &PionClient{conn: conn, client: client}, nil
}

// Local is the socket's address.
func (c *PionClient) Local() netip.AddrPort { return localAddr(c.conn) }

// Allocate blocks until the server has answered. Closing the conn that it
// answers is what releases the allocation.
func (c *PionClient) Allocate() (net.PacketConn, error) { return c.client.Allocate() }

// Close closes the client and its socket; it releases nothing.
func (c *PionClient) Close() error {
	c.client.Close()
	return c.conn.Close()
}
