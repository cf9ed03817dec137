package client

import (
	"net/netip"
	"time"
)

// options are what few clients ask for, and what came of it. Settings point to
// them; nil where nothing of it is asked for.
type options struct {
	keepalive    time.Duration
	keepaliveAt  time.Duration
	token        ReservationToken
	evenPort     EvenPort
	dontFragment bool
	both         bool           // FamilyBoth
	single       bool           // the server has given one address
	additional   netip.AddrPort // the second one of a dual allocation
	relay        *relay         // nil: the allocation is no TCP one
}

func (cfg *Config) options() *options {
	o := options{
		keepalive: cfg.Keepalive, token: cfg.ReservationToken, evenPort: cfg.EvenPort, dontFragment: cfg.DontFragment,
		both: cfg.Family == FamilyBoth, relay: cfg.relay(),
	}
	if o == (options{}) {
		return nil
	}
	return &o
}

// checkOptions answers what is wrong with them; "" if nothing is.
func (cfg *Config) checkOptions() string {
	switch {
	case cfg.Keepalive < 0 || cfg.Keepalive != 0 && cfg.Keepalive < keepaliveMinimum:
		return "Keepalive is shorter than 1 s"
	case cfg.EvenPort > EvenPortReserve:
		return "EvenPort is unknown"
	case cfg.ReservationToken != ReservationToken{} && cfg.EvenPort != EvenPortNone:
		// "If the RESERVATION-TOKEN attribute is included, then the client MUST
		// omit the EVEN-PORT attribute."
		// https://www.rfc-editor.org/rfc/rfc8656#section-7.1
		return "ReservationToken and EvenPort exclude each other"
	case cfg.ReservationToken != ReservationToken{} && cfg.Family != FamilyDefault:
		// "Clients MUST NOT include a REQUESTED-ADDRESS-FAMILY attribute in an
		// Allocate request that contains a RESERVATION-TOKEN attribute".
		return "ReservationToken and Family exclude each other"
	case cfg.Family == FamilyBoth && cfg.EvenPort == EvenPortReserve:
		// "Clients MUST NOT include the ADDITIONAL-ADDRESS-FAMILY attribute in an
		// Allocate request that contains an EVEN-PORT attribute with the R
		// (Reserved) bit set to 1."
		return "FamilyBoth and EvenPortReserve exclude each other"
	}
	return ""
}
