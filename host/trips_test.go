package host

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

func serverNumber(n int) netip.Addr {
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], 0x0A000000+uint32(n))
	return netip.AddrFrom4(ip)
}

func TestTripsAreBoundedAndForgotten(t *testing.T) {
	var ts trips
	start := time.Now()
	at := func(n int) time.Time { return start.Add(time.Duration(n) * time.Millisecond) }
	for n := range 2 * maxTrips {
		ts.note(at(n), serverNumber(n), client.RoundTrip{Smoothed: time.Duration(n + 1)})
	}
	if len(ts.servers) != maxTrips {
		t.Errorf("%d servers are remembered, at most %d are", len(ts.servers), maxTrips)
	}
	if m := ts.of(at(0), serverNumber(maxTrips-1)); m != (client.RoundTrip{}) {
		t.Errorf("the one that was there longest is still known: %v", m)
	}
	last, noted := serverNumber(2*maxTrips-1), at(2*maxTrips-1)
	if m := ts.of(noted.Add(tripStale-1), last); m.Smoothed != 2*maxTrips {
		t.Errorf("before it is stale: %v", m)
	}
	ts.note(noted.Add(tripStale-1), last, client.RoundTrip{})
	if m := ts.of(noted.Add(tripStale), last); m != (client.RoundTrip{}) {
		t.Errorf("after ten minutes it is still known, because of a Conn that had measured nothing: %v", m)
	}
}
