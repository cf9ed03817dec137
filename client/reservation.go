package client

import (
	"time"

	"github.com/pion/stun/v3"
)

// EvenPort is what an Allocate asks of the relayed address's port.
type EvenPort uint8

const (
	// EvenPortNone asks for nothing.
	EvenPortNone EvenPort = 0
	// EvenPortOnly asks for an even port.
	EvenPortOnly EvenPort = 1
	// EvenPortReserve asks for an even port, and the next higher one to be
	// reserved: see PortReserved.
	EvenPortReserve EvenPort = 2
)

// ReservationToken is a RESERVATION-TOKEN; the zero ReservationToken is none.
type ReservationToken [8]byte

// "The server MUST hold this reservation for at least 30 seconds"
// https://www.rfc-editor.org/rfc/rfc8656#section-7.2
//
// They may have begun with the first copy of the request.
const reservationLifetime = 30 * time.Second

// addTo adds what few clients ask for to an Allocate.
func (o *options) addTo(m *stun.Message) {
	switch {
	case o == nil:
		return
	case o.token != ReservationToken{}:
		addBytes(m, stun.AttrReservationToken, o.token[:])
	case o.evenPort == EvenPortOnly:
		addBytes(m, stun.AttrEvenPort, []byte{0})
	case o.evenPort == EvenPortReserve:
		addBytes(m, stun.AttrEvenPort, []byte{0x80})
	}
	if o.dontFragment {
		addBytes(m, stun.AttrDontFragment, nil)
	}
	if o.asksBoth() {
		// "The attribute value in the ADDITIONAL-ADDRESS-FAMILY MUST be set to
		// 0x02 (IPv6 address family)."
		// https://www.rfc-editor.org/rfc/rfc8656#section-7.1
		addBytes(m, attrAdditionalAddressFamily, []byte{byte(FamilyIPv6), 0, 0, 0})
	}
}

// size is what addTo adds at most.
func (o *options) size() int {
	if o == nil {
		return 0
	}
	return attributeSize(len(ReservationToken{})) + attributeSize(0) + wordSize
}

// reserved tells of the port that the server keeps for a later allocation. A
// token serves once, so that the next Allocate of this client is without.
func (c *Client) reserved(tx *transaction, m *message) {
	o := c.cfg.options
	if o == nil {
		return
	}
	o.token = ReservationToken{}
	if v, ok := m.Attributes.Get(stun.AttrReservationToken); ok && len(v.Value) == len(ReservationToken{}) && o.evenPort == EvenPortReserve {
		c.emit(Event{Kind: PortReserved, ReservationToken: ReservationToken(v.Value), Until: tx.firstAt + reservationLifetime})
	}
}

// allocateWithout follows an error by the same Allocate without what the server
// does not grant, once, and says whether it does:
//
//	"The client considers the current transaction as having failed but MAY choose
//	to retry the Allocate request without the DONT-FRAGMENT attribute."
//
//	"If the client is using either the EVEN-PORT or the RESERVATION-TOKEN
//	attribute, then the client MAY choose to remove or modify this attribute and
//	try again immediately."
//
// https://www.rfc-editor.org/rfc/rfc8656#section-7.4
func (c *Client) allocateWithout(now time.Duration, tx *transaction, v verdict) bool {
	o := c.cfg.options
	switch {
	case o == nil:
		return false
	case v.code == int(stun.CodeUnknownAttribute) && v.fragment && o.dontFragment:
		o.dontFragment = false
	case v.code == int(stun.CodeInsufficientCapacity) && (o.evenPort != EvenPortNone || o.token != ReservationToken{}):
		o.evenPort, o.token = EvenPortNone, ReservationToken{}
	default:
		return false
	}
	e := v.event(OptionRefused)
	e.Method = stun.MethodAllocate
	c.emit(e)
	c.lease.older = c.mayLive(now)
	next := transaction{purpose: forAllocate, failures: tx.failures}
	if tx.signer != nil {
		next.signer = c.auth.signer
	}
	c.request(next, now)
	c.pump(now)
	return true
}

// sendsUnfragmented: Send indications carry DONT-FRAGMENT.
//
// "The client MAY include a DONT-FRAGMENT attribute in the Send indication if
// it wishes the server to set the DF bit on the UDP datagram sent to the peer."
// https://www.rfc-editor.org/rfc/rfc8656#section-11.1
func (c *Client) sendsUnfragmented() bool {
	return c.cfg.options != nil && c.cfg.options.dontFragment
}
