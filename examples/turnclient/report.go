package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
)

// report says what happens: to people, or with -json to programs. It knows at
// the end whether all was well.
type report struct {
	stdout, stderr io.Writer
	json           bool
	terminal       bool // progress is shown on stderr
	showing        bool // a line of progress stands there
	bad            bool
}

func newReport(o *options, stdout, stderr io.Writer) *report {
	return &report{stdout: stdout, stderr: stderr, json: o.json, terminal: isTerminal(stderr)}
}

func isTerminal(w io.Writer) bool {
	f, is := w.(*os.File)
	if !is {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (r *report) exit() int {
	if r.bad {
		return 1
	}
	return 0
}

// line prints one event: the record with -json, otherwise the text.
func (r *report) line(record any, format string, args ...any) {
	if r.showing {
		fmt.Fprint(r.stderr, "\r\x1b[K")
		r.showing = false
	}
	if !r.json {
		fmt.Fprintf(r.stdout, format+"\n", args...)
		return
	}
	if err := json.NewEncoder(r.stdout).Encode(record); err != nil {
		fmt.Fprintln(r.stderr, "turnclient:", err)
		r.bad = true
	}
}

// progress overwrites its line on a terminal.
func (r *report) progress(sent, received, of int) {
	if r.terminal {
		fmt.Fprintf(r.stderr, "\r\x1b[K%d of %d sent, %d back", sent, of, received)
		r.showing = true
	}
}

type allocatedRecord struct {
	Event    string  `json:"event"`
	Relayed  string  `json:"relayed"`
	Mapped   string  `json:"mapped"`
	Lifetime int     `json:"lifetime"` // seconds
	MS       float64 `json:"ms"`
}

func (r *report) allocated(c *host.Conn, took time.Duration) {
	r.line(allocatedRecord{"allocated", c.Relayed().String(), c.Mapped().String(), int(c.Lifetime().Seconds()), ms(took)},
		"allocated  %s for %s in %.1f ms (we are %s to the server %s, %s locally)",
		c.Relayed(), c.Lifetime(), ms(took), c.Mapped(), c.Server(), c.Local())
}

type pathRecord struct {
	Event       string  `json:"event"`
	RoundTripMS float64 `json:"roundTripMs"`
	VariationMS float64 `json:"variationMs"`
	RTOMS       float64 `json:"rtoMs"`
	Resent      uint64  `json:"resent"`
}

// path tells of the way to the server, where something was measured.
func (r *report) path(s host.Stats) {
	if s.RoundTrip.Smoothed == 0 {
		return
	}
	r.line(pathRecord{"path", ms(s.RoundTrip.Smoothed), ms(s.RoundTrip.Variation), ms(s.RTO), s.Retransmissions},
		"path       %.2f ms to the server and back (varies by %.2f ms); RTO %s, %d requests sent again",
		ms(s.RoundTrip.Smoothed), ms(s.RoundTrip.Variation), s.RTO, s.Retransmissions)
}

type movedRecord struct {
	Event   string  `json:"event"`
	Relayed string  `json:"relayed"`
	Local   string  `json:"local"`
	Kept    bool    `json:"kept"` // the relayed address
	MS      float64 `json:"ms"`
}

func (r *report) moved(c *host.Conn, kept bool, took time.Duration) {
	r.line(movedRecord{"moved", c.Relayed().String(), c.Local().String(), kept, ms(took)},
		"moved      to %s locally in %.1f ms; the relayed address is %s", c.Local(), ms(took), c.Relayed())
}

type optionRecord struct {
	Event            string `json:"event"`
	Code             int    `json:"code"`
	Reason           string `json:"reason"`
	ReservationToken string `json:"reservation,omitempty"`
	Until            string `json:"until,omitempty"`
	Family           int    `json:"family,omitempty"`
	Server           string `json:"server,omitempty"`
	Signed           bool   `json:"signed,omitempty"`
}

// option tells what came of what few ask for: -even-port, -token,
// -dont-fragment, -family both.
func (r *report) option(e host.Event) {
	switch e.Kind {
	case client.PortReserved:
		r.line(optionRecord{Event: "reserved", ReservationToken: hex.EncodeToString(e.ReservationToken[:]), Until: instant(e.Until)},
			"reserved   the next port for -reservation %x until %s", e.ReservationToken, instant(e.Until))
	case client.Redirected:
		r.line(optionRecord{Event: "redirected", Server: e.Peer.String(), Signed: e.Signed},
			"redirected to %s (300, signed: %t)", e.Peer, e.Signed)
	case client.OptionRefused:
		r.line(optionRecord{Event: "refused", Code: e.Code, Reason: e.Reason},
			"refused    %d %s: allocated without what was asked for", e.Code, e.Reason)
	case client.AddressRefused:
		r.line(optionRecord{Event: "refused", Code: e.Code, Reason: e.Reason, Family: ipVersion[e.Family]},
			"refused    an IPv%d address: %d %s", ipVersion[e.Family], e.Code, e.Reason)
	}
}

var ipVersion = map[client.Family]int{client.FamilyIPv4: 4, client.FamilyIPv6: 6}

type echoedRecord struct {
	Event    string `json:"event"`
	Sent     int    `json:"sent"`
	Received int    `json:"received"`
	RTT      struct {
		P50 float64 `json:"p50"`
		P99 float64 `json:"p99"`
	} `json:"rttMs"`
}

func (r *report) echoed(sent int, rtts []time.Duration) {
	record := echoedRecord{Event: "echoed", Sent: sent, Received: len(rtts)}
	record.RTT.P50, record.RTT.P99 = ms(percentile(rtts, 50)), ms(percentile(rtts, 99))
	r.line(record, "echoed     %d of %d; round trip %.2f ms (p50), %.2f ms (p99)",
		record.Received, sent, record.RTT.P50, record.RTT.P99)
}

type failedRecord struct {
	Event  string `json:"event"`
	Method string `json:"method"`
	Code   int    `json:"code"`
	Reason string `json:"reason"`
	Signed bool   `json:"signed"`
	Until  string `json:"until"`
}

// failed prints each of the errors that were joined.
func (r *report) failed(err error) {
	r.bad = true
	if list, is := err.(interface{ Unwrap() []error }); is {
		for _, one := range list.Unwrap() {
			r.failed(one)
		}
		return
	}
	err = withoutOp(err)
	record := failedRecord{Event: "failed", Reason: err.Error()}
	if e, is := errors.AsType[*host.RequestError](err); is {
		record.Method, record.Code, record.Reason = e.Method, e.Code, e.Reason
		record.Signed, record.Until = e.Signed, instant(e.Until)
	}
	r.line(record, "failed     %s", err)
}

// withoutOp leaves out the network and addresses that a *net.OpError repeats.
func withoutOp(err error) error {
	if op, is := errors.AsType[*net.OpError](err); is && op.Net == "turn" {
		return op.Err
	}
	return err
}

type closedRecord struct {
	Event        string  `json:"event"`
	Outcome      string  `json:"outcome"`
	Reason       string  `json:"reason"`
	ReuseAfterMS int64   `json:"reuseAfterMs"`
	Until        string  `json:"until"`
	MS           float64 `json:"ms"`
}

// closed: what may be left on the server is a failure.
func (r *report) closed(c host.Closed, took time.Duration) {
	well := c.Outcome == client.Released || c.Outcome == client.NothingToRelease || c.Outcome == client.HandedOver
	r.bad = r.bad || !well
	text := fmt.Sprintf("closed     %s in %.1f ms", c.Outcome, ms(took))
	if c.Reason != "" {
		text += ": " + c.Reason
	}
	if !c.Until.IsZero() {
		text += "; the server may hold the allocation until " + instant(c.Until)
	} else if c.ReuseAfter > 0 {
		text += "; the local port should rest for " + c.ReuseAfter.String()
	}
	r.line(closedRecord{"closed", c.Outcome.String(), c.Reason, c.ReuseAfter.Milliseconds(), instant(c.Until), ms(took)},
		"%s", text)
}

// instant is RFC 3339, and empty for the zero time.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
