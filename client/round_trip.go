package client

import "time"

// RoundTrip is what is known of the time from a request to its answer. The zero
// RoundTrip says that none was measured. What one client has learned of a server
// is good for the next one to it: see Config.RoundTrip.
type RoundTrip struct {
	Smoothed  time.Duration // SRTT
	Variation time.Duration // RTTVAR
}

// roundTrip is a RoundTrip in microseconds: clients lie by the thousand.
type roundTrip struct{ smoothed, variation uint32 }

// maxRoundTrip is far beyond what any request waits for.
const maxRoundTrip = time.Hour

func (r RoundTrip) packed() roundTrip {
	if r.Smoothed == 0 {
		return roundTrip{}
	}
	return roundTrip{micros(r.Smoothed), uint32(min(r.Variation, maxRoundTrip) / time.Microsecond)}
}

// micros is never 0, which says "none".
func micros(d time.Duration) uint32 { return uint32(max(1, min(d, maxRoundTrip)/time.Microsecond)) }

// add takes a measurement:
//
//	"When the first RTT measurement R is made, the host MUST set
//	SRTT <- R
//	RTTVAR <- R/2"
//
//	"When a subsequent RTT measurement R' is made, a host MUST set
//	RTTVAR <- (1 - beta) * RTTVAR + beta * |SRTT - R'|
//	SRTT <- (1 - alpha) * SRTT + alpha * R'"
//
//	"The above SHOULD be computed using alpha=1/8 and beta=1/4"
//
// https://www.rfc-editor.org/rfc/rfc6298#section-2
func (r *roundTrip) add(measured time.Duration) {
	now := micros(measured)
	if r.smoothed == 0 {
		*r = roundTrip{now, now / 2}
		return
	}
	off := max(r.smoothed, now) - min(r.smoothed, now)
	r.variation = uint32((3*uint64(r.variation) + uint64(off)) / 4)
	r.smoothed = max(1, uint32((7*uint64(r.smoothed)+uint64(now))/8))
}

// timeout is "RTO <- SRTT + max (G, K*RTTVAR) where K = 4"; 0 while nothing was
// measured. G, the clock's granularity, is 1 ms: "a 1 ms accuracy SHOULD be
// maintained". https://www.rfc-editor.org/rfc/rfc8489#section-6.2.1
func (r roundTrip) timeout() time.Duration {
	if r.smoothed == 0 {
		return 0
	}
	rto := time.Duration(uint64(r.smoothed)+max(1000, 4*uint64(r.variation))) * time.Microsecond
	return (rto + time.Millisecond - 1).Truncate(time.Millisecond)
}

// RoundTrip is what was measured; see Config.RoundTrip.
func (c *Client) RoundTrip() RoundTrip {
	return RoundTrip{
		Smoothed:  time.Duration(c.trip.smoothed) * time.Microsecond,
		Variation: time.Duration(c.trip.variation) * time.Microsecond,
	}
}

// RTO is the time-out with which the next request begins:
//
//	"The RTO is an estimate of the round-trip time (RTT) and is computed as
//	described in [RFC6298], with two exceptions. First, the initial value for RTO
//	SHOULD be greater than or equal to 500 ms. [...] Second, the value of RTO
//	SHOULD NOT be rounded up to the nearest second."
//
// https://www.rfc-editor.org/rfc/rfc8489#section-6.2.1
func (c *Client) RTO() time.Duration {
	if c.trip.smoothed == 0 {
		return c.cfg.rto
	}
	return min(max(c.trip.timeout(), time.Duration(c.cfg.minRTO)*time.Millisecond), maxRTO)
}

// measure: an answer has come that counts.
//
//	"When applied to STUN, it means that RTT estimates SHOULD NOT be computed from
//	STUN transactions that result in the retransmission of a request."
//
// https://www.rfc-editor.org/rfc/rfc8489#section-6.2.1
//
// Nor from an answer to an ID that was given up for another, and not on streams,
// which retransmit below us.
func (c *Client) measure(now time.Duration, tx *transaction, id transactionID) {
	if tx.sends == 1 && tx.id == id && !c.Stream() {
		c.trip.add(now - tx.lastAt)
	}
}
