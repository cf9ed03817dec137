package abi

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// State is what turn_state tells.
type State struct {
	Phase   client.Phase
	Relayed netip.AddrPort // zero without an allocation
	Mapped  netip.AddrPort
	// Additional is the relayed address of the other family, if there is one.
	Additional netip.AddrPort
	Lifetime   time.Duration
	Wakes      bool          // there is a deadline:
	WakeAt     time.Duration // the instant,
	WakeWhy    string        // and what it is for
	Flow       client.Flow   // on which it talks to the server
	RTO        time.Duration // of the next request
	RoundTrip  client.RoundTrip
}

// AppendState appends the state record.
func AppendState(b []byte, s *State) []byte {
	r := Record(b)
	r.U8(AttrPhase, uint8(s.Phase))
	if s.Relayed.IsValid() {
		r.Addr(AttrRelayed, s.Relayed)
	}
	if s.Additional.IsValid() {
		r.Addr(AttrAdditional, s.Additional)
	}
	if s.Mapped.IsValid() {
		r.Addr(AttrMapped, s.Mapped)
	}
	if s.Lifetime != 0 {
		r.Time(AttrLifetime, s.Lifetime)
	}
	if s.Wakes {
		r.Time(AttrWakeAt, s.WakeAt)
		r.Text(AttrWakeWhy, s.WakeWhy)
	}
	if s.Flow != 0 {
		r.U32(AttrFlow, uint32(s.Flow))
	}
	if s.RTO != 0 {
		r.Time(AttrRTO, s.RTO)
	}
	appendRoundTrip(&r, s.RoundTrip)
	return r
}

// ParseState reads a state record.
func ParseState(rec []byte) (State, error) {
	var s State
	r := reader{rest: rec}
	for a, ok := r.next(); ok; a, ok = r.next() {
		switch a.t {
		case AttrPhase:
			s.Phase = client.Phase(r.u8(a))
		case AttrAdditional:
			s.Additional = r.addr(a)
		case AttrRelayed:
			s.Relayed = r.addr(a)
		case AttrMapped:
			s.Mapped = r.addr(a)
		case AttrLifetime:
			s.Lifetime = r.time(a)
		case AttrWakeAt:
			s.Wakes, s.WakeAt = true, r.time(a)
		case AttrFlow:
			s.Flow = client.Flow(r.u32(a))
		case AttrRTO:
			s.RTO = r.time(a)
		case AttrRoundTrip:
			s.RoundTrip = r.roundTrip(a)
		case AttrWakeWhy:
			s.WakeWhy = string(a.value)
		}
	}
	if !s.Wakes {
		s.WakeWhy = "" // a reason without an instant says nothing
	}
	if r.err == nil && !r.has(AttrPhase) {
		r.err = Detail(ErrArgument, "the record is no state")
	}
	return s, r.err
}

// counters are the fields of Stats in the order in which they cross the
// boundary. New ones go to the end: a host that knows fewer reads fewer.
func counters(s *client.Stats) [20]*uint64 {
	return [...]*uint64{
		&s.SentMessages, &s.SentBytes,
		&s.ReceivedMessages, &s.ReceivedBytes,
		&s.Retransmissions,
		&s.PayloadsSent, &s.PayloadsReceived,
		&s.IgnoredClosed, &s.IgnoredFlow, &s.IgnoredSource, &s.IgnoredMalformed,
		&s.IgnoredUnexpected, &s.IgnoredTransaction, &s.IgnoredIntegrity,
		&s.IgnoredFingerprint, &s.IgnoredAttribute, &s.IgnoredChannel,
		&s.IgnoredPeer, &s.HeldErrors, &s.PayloadsDropped,
	}
}

// AppendStats appends the counters, 8 bytes each.
func AppendStats(b []byte, s *client.Stats) []byte {
	for _, n := range counters(s) {
		b = binary.LittleEndian.AppendUint64(b, *n)
	}
	return b
}

// ParseStats reads what AppendStats wrote, or another version's shorter or
// longer list.
func ParseStats(b []byte) client.Stats {
	var s client.Stats
	for _, n := range counters(&s) {
		if len(b) < 8 {
			break
		}
		*n = binary.LittleEndian.Uint64(b)
		b = b[8:]
	}
	return s
}
