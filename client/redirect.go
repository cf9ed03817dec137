package client

import (
	"encoding/binary"
	"net/netip"

	"github.com/pion/stun/v3"
)

const attrAlternateDomain stun.AttrType = 0x8003 // ALTERNATE-DOMAIN

// alternate is where a 300 points.
type alternate struct {
	server netip.AddrPort
	domain string // for the certificate of TLS
}

// alternate reads ALTERNATE-SERVER of a 300; nil if there is none.
//
// "The server SHOULD include an additional ALTERNATE-SERVER attribute, after the
// mandatory one, that contains an IP address of the address family other than
// the source IP address of the request message."
// https://www.rfc-editor.org/rfc/rfc8489#section-10
//
// So the first one counts.
func (m *message) alternate(code int) *alternate {
	attr, ok := m.Attributes.Get(stun.AttrAlternateServer)
	if code != int(stun.CodeTryAlternate) || !ok {
		return nil
	}
	server, ok := parseAddress(attr.Value)
	if !ok {
		return nil
	}
	return &alternate{server, printable(m.text(attrAlternateDomain))}
}

// parseAddress reads an address that is not XORed (RFC 8489 section 14.1).
func parseAddress(v []byte) (netip.AddrPort, bool) {
	if !(len(v) == 8 && v[1] == 1 || len(v) == 20 && v[1] == 2) {
		return netip.AddrPort{}, false
	}
	ip, _ := netip.AddrFromSlice(v[4:])
	port := binary.BigEndian.Uint16(v[2:])
	return netip.AddrPortFrom(ip.Unmap(), port), port != 0 && !ip.IsUnspecified()
}

// redirected tells where the server sends us: its caller decides, and makes
// another client for that server.
func (c *Client) redirected(v verdict) {
	if v.alternate == nil {
		return
	}
	c.emit(Event{
		Kind: Redirected, Method: stun.MethodAllocate, Peer: v.alternate.server,
		Domain: v.alternate.domain, Signed: v.signed,
	})
}
