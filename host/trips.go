package host

import (
	"net/netip"
	"sync"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// "The value SHOULD be considered stale and discarded if no transactions have
// occurred to the same server in the last 10 minutes."
// https://www.rfc-editor.org/rfc/rfc8489#section-6.2.1
const tripStale = 10 * time.Minute

// maxTrips bounds how many servers are remembered.
const maxTrips = 256

// trips remembers what was measured of the way to each server.
type trips struct {
	mu      sync.Mutex
	servers map[netip.Addr]trip
}

type trip struct {
	at      time.Time
	measure client.RoundTrip
}

// note remembers a measurement; of too many servers the one that was talked to
// longest ago is forgotten.
func (ts *trips) note(now time.Time, server netip.Addr, m client.RoundTrip) {
	if m == (client.RoundTrip{}) {
		return
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.servers == nil {
		ts.servers = make(map[netip.Addr]trip)
	}
	if _, known := ts.servers[server]; !known && len(ts.servers) >= maxTrips {
		delete(ts.servers, ts.oldest())
	}
	ts.servers[server] = trip{now, m}
}

func (ts *trips) oldest() (server netip.Addr) {
	var at time.Time
	for s, t := range ts.servers {
		if !server.IsValid() || t.at.Before(at) {
			server, at = s, t.at
		}
	}
	return server
}

// of is what is known of the way to the server.
func (ts *trips) of(now time.Time, server netip.Addr) client.RoundTrip {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t, ok := ts.servers[server]
	if ok && now.Sub(t.at) >= tripStale {
		delete(ts.servers, server)
		return client.RoundTrip{}
	}
	return t.measure
}

// measureLocked fetches what the machine has measured. It is not for where
// descriptors are being read: the record is written over theirs.
func (c *Conn) measureLocked() {
	if c.settings.via.transport() == client.TransportStream || c.stage >= stageFreed || c.driver.dead != nil {
		return
	}
	s, err := c.state()
	if err != nil {
		return
	}
	c.way = way{s.RTO, s.RoundTrip}
}

// learn lets the next client to this server have what was measured.
func (c *Conn) learn() {
	c.unmeasured = false
	c.measureLocked()
	c.rt.trips.note(time.Now(), c.server.Addr(), c.way.trip)
}

// measureSoon: an answer has come, whose event is being read.
func (c *Conn) measureSoon() {
	c.unmeasured = true
	c.driver.touch(c)
}

// way is what Stats says of the way to the server.
type way struct {
	rto  time.Duration
	trip client.RoundTrip
}
