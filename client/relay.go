package client

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// Relay is the transport of the relayed transport address.
type Relay uint8

const (
	// RelayUDP relays datagrams (RFC 8656).
	RelayUDP Relay = 0
	// RelayTCP relays connections (RFC 6062): Connect makes one to a peer,
	// AcceptConnection takes one of a peer's. Each has a flow of its own to the
	// server, which the caller owns once ConnectionReady has told of it: what it
	// carries is payload. Nothing is sent otherwise: Send and BindChannel
	// answer ErrRelay.
	RelayTCP Relay = 1
)

// ConnectionID is the server's name for a connection with a peer.
type ConnectionID uint32

const (
	transportTCP requestedTransport = 6

	// "If no ConnectionBind request associated with this peer data connection is
	// received after 30 seconds, the peer data connection MUST be closed."
	// https://www.rfc-editor.org/rfc/rfc6062#section-5.2
	connectionPatience = 30 * time.Second

	// "The client MAY retry with the same XOR-PEER-ADDRESS attribute, but MUST
	// wait at least 10 seconds." https://www.rfc-editor.org/rfc/rfc6062#section-4.3
	connectPause = 10 * time.Second

	// connectTimeout is how long a Connect is waited for at least: "The timeout
	// value MUST be at least 30 seconds" before the server says that the peer
	// does not answer. https://www.rfc-editor.org/rfc/rfc6062#section-5.2
	connectTimeout = 35 * time.Second
)

// relay is what a TCP allocation has beside what every one has.
type relay struct {
	connections  []*connection
	last         uint16 // number given out
	unsignedBind bool   // Config.UnsignedBind
}

func (cfg *Config) relay() *relay {
	if cfg.Relay != RelayTCP {
		return nil
	}
	return &relay{unsignedBind: cfg.UnsignedBind}
}

// relay answers nil where datagrams are relayed.
func (c *Client) relay() *relay {
	if o := c.cfg.options; o != nil {
		return o.relay
	}
	return nil
}

// relayFault is what is wrong with what is asked of a TCP allocation:
//
//	"TCP allocations cannot be obtained using a UDP association between client
//	and server."
//
//	"The request MUST NOT include a DONT-FRAGMENT, RESERVATION-TOKEN, or EVEN-PORT
//	attribute."
//
// https://www.rfc-editor.org/rfc/rfc6062#section-4.1
//
// No RFC says what a move does to data connections.
func (cfg *Config) relayFault() string {
	switch {
	case cfg.Relay > RelayTCP:
		return "Relay is unknown"
	case cfg.UnsignedBind && cfg.Relay != RelayTCP:
		return "UnsignedBind is for RelayTCP"
	case cfg.Relay != RelayTCP:
		return ""
	case cfg.Transport != TransportStream:
		return "RelayTCP wants TransportStream"
	case cfg.DontFragment || cfg.EvenPort != EvenPortNone || cfg.ReservationToken != ReservationToken{}:
		return "RelayTCP excludes DontFragment, EvenPort and ReservationToken"
	case cfg.Mobility:
		return "RelayTCP and Mobility exclude each other"
	}
	return ""
}

// relayedTransport is "a REQUESTED-TRANSPORT attribute whose value is 6,
// corresponding to TCP", or 17 for UDP.
// https://www.rfc-editor.org/rfc/rfc6062#section-4.1
func (c *Client) relayedTransport() requestedTransport {
	if c.relay() != nil {
		return transportTCP
	}
	return transportUDP
}

// getConnectionID reads CONNECTION-ID: "It is a 32-bit unsigned integral value."
// https://www.rfc-editor.org/rfc/rfc6062#section-6.2.1
func getConnectionID(m *message) (ConnectionID, bool) {
	attr, ok := m.Attributes.Get(stun.AttrConnectionID)
	if !ok || len(attr.Value) != 4 {
		return 0, false
	}
	v := attr.Value
	return ConnectionID(v[0])<<24 | ConnectionID(v[1])<<16 | ConnectionID(v[2])<<8 | ConnectionID(v[3]), true
}

func addConnectionID(m *stun.Message, id ConnectionID) {
	addBytes(m, stun.AttrConnectionID, []byte{byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)})
}

// checkConnectPeer: whom a Connect can name.
func (c *Client) checkConnectPeer(peer netip.AddrPort) error {
	if err := c.checkPeer(peer.Addr()); err != nil {
		return err
	}
	if peer.Port() == 0 {
		return ErrPeer
	}
	return nil
}
