package abi

import (
	"encoding/binary"
	"math"

	"github.com/turnwasm/turnwasm/client"
)

const roundTripSize = 16

// appendRoundTrip appends what was measured, if anything was.
func appendRoundTrip(r *Record, trip client.RoundTrip) {
	if trip == (client.RoundTrip{}) {
		return
	}
	r.begin(AttrRoundTrip, roundTripSize)
	*r = binary.LittleEndian.AppendUint64(*r, math.Float64bits(MS(trip.Smoothed)))
	*r = binary.LittleEndian.AppendUint64(*r, math.Float64bits(MS(trip.Variation)))
}

func (r *reader) roundTrip(a attribute) (trip client.RoundTrip) {
	if len(a.value) != roundTripSize {
		r.fail(a, "a round trip")
		return trip
	}
	trip.Smoothed = r.time(attribute{a.t, a.value[:8]})
	trip.Variation = r.time(attribute{a.t, a.value[8:]})
	return trip
}
