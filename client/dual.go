package client

import (
	"net/netip"

	"github.com/pion/stun/v3"
)

// asksBoth: the Allocate wants an address of either family. What the server has
// refused once is not asked for again:
//
//	"If the client receives an Allocate success response but with an
//	ADDRESS-ERROR-CODE attribute in the response and the error code value
//	signaled in the ADDRESS-ERROR-CODE attribute is 440 (Address Family not
//	Supported), the client MUST NOT retry its request for the rejected address
//	type."
//
// https://www.rfc-editor.org/rfc/rfc8656#section-7.3
func (o *options) asksBoth() bool { return o != nil && o.both && !o.single }

// Additional is the relayed transport address of the other family than
// Relayed's; the zero AddrPort where the server gave none.
func (c *Client) Additional() netip.AddrPort {
	if c.alloc == nil || !c.cfg.options.asksBoth() {
		return netip.AddrPort{}
	}
	return c.cfg.options.additional
}

// relayedAddresses reads the relayed addresses of an Allocate success: the first
// of the message, and one of the other family.
func relayedAddresses(m *message) (first, other netip.AddrPort) {
	for _, attr := range m.Attributes {
		a, ok := parseXorAddress(attr.Value, m.TransactionID)
		switch {
		case attr.Type != stun.AttrXORRelayedAddress || !ok || a.Port() == 0 || a.Addr().IsUnspecified():
		case !first.IsValid():
			first = a
		case a.Addr().Is6() != first.Addr().Is6() && !other.IsValid():
			other = a
		}
	}
	return first, other
}

// peerFamily says whether the address can be a peer of our allocation. Before
// there is one that asks for both, any can.
func (c *Client) peerFamily(addr netip.Addr) bool {
	if c.cfg.options.asksBoth() {
		return true
	}
	return addr.Is6() == (c.cfg.family == FamilyIPv6)
}

// dual notes what the server has made of a request for both families: a server
// that gave one address is used like one that was asked for one.
func (c *Client) dual(m *message) {
	o := c.cfg.options
	if !o.asksBoth() {
		return
	}
	first, other := relayedAddresses(m)
	if o.additional = other; other.IsValid() {
		return
	}
	o.single = true
	missing := FamilyIPv6
	if c.cfg.family = FamilyDefault; first.Addr().Is6() {
		c.cfg.family, missing = FamilyIPv6, FamilyIPv4
	}
	v := addressError(m, missing)
	e := v.event(AddressRefused)
	e.Family, e.RetryAfter = missing, retryAfter(v.code)
	c.emit(e)
}

// addressError reads the ADDRESS-ERROR-CODE for the family (RFC 8656 section
// 18.12). A server that does not know about two families says nothing.
func addressError(m *message, family Family) verdict {
	v, _ := m.Attributes.Get(attrAddressErrorCode)
	if len(v.Value) < 4 || Family(v.Value[0]) != family {
		return verdict{reason: "the server gave no address of this family"}
	}
	code := int(v.Value[2]&7)*100 + int(v.Value[3])
	return verdict{code: code, reason: printable(v.Value[4:])}
}
