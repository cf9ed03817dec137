package abi

import "github.com/turnwasm/turnwasm/client"

// appendOptions appends what few clients ask for.
func appendOptions(r *Record, cfg *client.Config) {
	if cfg.Keepalive != 0 {
		r.Time(AttrKeepalive, cfg.Keepalive)
	}
	if cfg.EvenPort != client.EvenPortNone {
		r.U8(AttrEvenPort, uint8(cfg.EvenPort))
	}
	appendReservation(r, cfg.ReservationToken)
	r.Flag(AttrDontFragment, cfg.DontFragment)
	if cfg.Relay != client.RelayUDP {
		r.U8(AttrRelay, uint8(cfg.Relay))
	}
	r.Flag(AttrUnsignedBind, cfg.UnsignedBind)
}

func appendReservation(r *Record, t client.ReservationToken) {
	if t != (client.ReservationToken{}) {
		r.Bytes(AttrReservationToken, t[:])
	}
}

func configOption(r *reader, a attribute, cfg *client.Config) {
	switch a.t {
	case AttrKeepalive:
		cfg.Keepalive = r.time(a)
	case AttrEvenPort:
		cfg.EvenPort = client.EvenPort(r.u8(a))
	case AttrReservationToken:
		cfg.ReservationToken = r.token(a)
	case AttrDontFragment:
		cfg.DontFragment = r.flag(a)
	case AttrRelay:
		cfg.Relay = client.Relay(r.u8(a))
	case AttrUnsignedBind:
		cfg.UnsignedBind = r.flag(a)
	}
}

func (r *reader) token(a attribute) (t client.ReservationToken) {
	if len(a.value) != len(t) {
		r.fail(a, "a token")
		return t
	}
	return client.ReservationToken(a.value)
}

func eventOption(r *reader, a attribute, e *client.Event) {
	switch a.t {
	case AttrReservationToken:
		e.ReservationToken = r.token(a)
	case AttrDomain:
		e.Domain = string(a.value)
	case AttrAdditional:
		e.Additional = r.addr(a)
	case AttrFamily:
		e.Family = client.Family(r.u8(a))
	case AttrConnection:
		e.ConnectionID = client.ConnectionID(r.u32(a))
	}
}
