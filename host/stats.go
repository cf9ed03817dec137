package host

import (
	"context"
	"log/slog"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Stats counts what the machine and the host did.
type Stats struct {
	client.Stats
	// PayloadsUnread were dropped because nobody called ReadFrom.
	PayloadsUnread uint64
	// EventsUnread were dropped because nobody took them from Events.
	EventsUnread uint64
	// DatagramsCut counts what the socket held and no room was large enough for.
	DatagramsCut uint64
	// RTO is the time-out with which the next request begins, and RoundTrip what
	// was measured of the way to the server; on streams there is none.
	RTO       time.Duration
	RoundTrip client.RoundTrip
}

// Stats answers the counters. After the Conn's end they are the last ones.
func (c *Conn) Stats() Stats {
	var s client.Stats
	var w way
	_ = c.driver.do(func() error {
		c.countLocked()
		c.measureLocked()
		s, w = c.counted, c.way
		return nil
	})
	return Stats{
		Stats: s, PayloadsUnread: c.in.inbox.dropped.Load(), EventsUnread: c.events.dropped.Load(),
		DatagramsCut: c.settings.cut.Load(), RTO: w.rto, RoundTrip: w.trip,
	}
}

// countLocked fetches the counters while the client is there to be asked.
func (c *Conn) countLocked() {
	if c.stage >= stageFreed || c.driver.dead != nil {
		return
	}
	n, err := c.driver.answer(c.driver.eng.stats(c.handle))
	control := c.driver.layout.ControlOut.Of(c.driver.region)
	if err == nil && n <= len(control) {
		c.counted = abi.ParseStats(control[:n])
	}
}

// log says what happened, and at the end what it amounted to.
func (c *Conn) log(e Event) {
	log := c.driver.log
	if !log.Enabled(context.Background(), e.level()) {
		return
	}
	log.LogAttrs(context.Background(), e.level(), "turn: "+e.Kind.String(),
		slog.String("server", c.server.String()), slog.String("local", c.Local().String()),
		slog.Any("", e))
}

// logCounts is a closed Conn's summary.
func (c *Conn) logCounts() {
	s := c.counted
	c.driver.log.Debug("turn: counts",
		"server", c.server.String(), "local", c.Local().String(),
		"sentMessages", s.SentMessages, "sentBytes", s.SentBytes,
		"receivedMessages", s.ReceivedMessages, "receivedBytes", s.ReceivedBytes,
		"retransmissions", s.Retransmissions, "roundTrip", c.way.trip.Smoothed, "rto", c.way.rto,
		"payloadsUnread", c.in.inbox.dropped.Load(), "eventsUnread", c.events.dropped.Load())
}
