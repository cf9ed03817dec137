package abi

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/stun/v3"

	"github.com/turnwasm/turnwasm/client"
)

// AppendEvent appends the event record. Fields that are zero are left out, and
// Data always is: payloads travel as descriptors.
func AppendEvent(b []byte, e *client.Event) []byte {
	r := Record(b)
	r.U16(AttrEvent, uint16(e.Kind))
	appendFailure(&r, e)
	appendAddrs(&r, e)
	for _, f := range [...]struct {
		t Attr
		v time.Duration
	}{
		{AttrLifetime, e.Lifetime}, {AttrRetryAfter, e.RetryAfter},
		{AttrReuseAfter, e.ReuseAfter}, {AttrUntil, e.Until},
	} {
		if f.v != 0 {
			r.Time(f.t, f.v)
		}
	}
	if e.Flow != 0 {
		r.U32(AttrFlow, uint32(e.Flow))
	}
	if e.Channel != 0 {
		r.U16(AttrChannel, e.Channel)
	}
	if e.ICMP != (client.ICMP{}) {
		d := e.ICMP.Data
		r.Bytes(AttrICMP, []byte{e.ICMP.Type, e.ICMP.Code, d[0], d[1], d[2], d[3]})
	}
	appendReservation(&r, e.ReservationToken)
	if e.Domain != "" {
		r.Text(AttrDomain, e.Domain)
	}
	if e.Family != client.FamilyDefault {
		r.U8(AttrFamily, uint8(e.Family))
	}
	if e.ConnectionID != 0 {
		r.U32(AttrConnection, uint32(e.ConnectionID))
	}
	return r
}

func appendFailure(r *Record, e *client.Event) {
	if e.Method != 0 {
		r.U16(AttrMethod, uint16(e.Method))
	}
	if e.Code != 0 {
		r.U32(AttrCode, uint32(e.Code))
	}
	if e.Reason != "" {
		r.Text(AttrReason, e.Reason)
	}
	if e.ServerName != "" {
		r.Text(AttrServerName, e.ServerName)
	}
	r.Flag(AttrSigned, e.Signed)
	if e.Outcome != 0 {
		r.U8(AttrOutcome, uint8(e.Outcome))
	}
}

func appendAddrs(r *Record, e *client.Event) {
	for _, f := range [...]struct {
		t Attr
		v netip.AddrPort
	}{
		{AttrPeer, e.Peer}, {AttrRelayed, e.Relayed}, {AttrMapped, e.Mapped}, {AttrAdditional, e.Additional},
	} {
		if f.v.IsValid() {
			r.Addr(f.t, f.v)
		}
	}
}

// ParseEvent reads an event record. An event of a number that this host does
// not know is no error; its Kind says so.
func ParseEvent(rec []byte) (client.Event, error) {
	var e client.Event
	r := reader{rest: rec}
	for a, ok := r.next(); ok; a, ok = r.next() {
		eventAttr(&r, a, &e)
	}
	if r.err == nil && !r.has(AttrEvent) {
		r.err = Detail(ErrArgument, "the record is no event")
	}
	return e, r.err
}

func eventAttr(r *reader, a attribute, e *client.Event) {
	switch a.t {
	case AttrEvent:
		e.Kind = client.EventKind(r.u16(a))
	case AttrMethod:
		e.Method = stun.Method(r.u16(a))
	case AttrCode:
		e.Code = r.count(a)
	case AttrReason:
		e.Reason = string(a.value)
	case AttrServerName:
		e.ServerName = string(a.value)
	case AttrSigned:
		e.Signed = r.flag(a)
	case AttrOutcome:
		e.Outcome = client.Outcome(r.u8(a))
	case AttrFlow:
		e.Flow = client.Flow(r.u32(a))
	case AttrChannel:
		e.Channel = r.u16(a)
	case AttrICMP:
		e.ICMP = r.icmp(a)
	default:
		eventWhereWhen(r, a, e)
	}
}

func eventWhereWhen(r *reader, a attribute, e *client.Event) {
	switch a.t {
	case AttrPeer:
		e.Peer = r.addr(a)
	case AttrRelayed:
		e.Relayed = r.addr(a)
	case AttrMapped:
		e.Mapped = r.addr(a)
	case AttrLifetime:
		e.Lifetime = r.time(a)
	case AttrRetryAfter:
		e.RetryAfter = r.time(a)
	case AttrReuseAfter:
		e.ReuseAfter = r.time(a)
	case AttrUntil:
		e.Until = r.time(a)
	default:
		eventOption(r, a, e)
	}
}

func (r *reader) icmp(a attribute) client.ICMP {
	v := a.value
	if len(v) != 6 {
		r.fail(a, "an ICMP report")
		return client.ICMP{}
	}
	var i client.ICMP
	i.Type, i.Code = v[0], v[1]
	binary.BigEndian.PutUint32(i.Data[:], binary.BigEndian.Uint32(v[2:]))
	return i
}
