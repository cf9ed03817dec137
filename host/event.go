package host

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// Event is what happened to a Conn. Which fields are set stands at its kind in
// package client; DataReceived and PartingChanged do not come here.
type Event struct {
	Kind             client.EventKind
	At               time.Time // when the host saw it
	Method           string    // the request that failed
	Code             int
	Reason           string
	ServerName       string // for which the server takes access tokens
	Signed           bool
	Outcome          client.Outcome
	Peer             netip.AddrPort
	ConnectionID     client.ConnectionID // of RelayTCP
	Channel          uint16
	Relayed          netip.AddrPort
	Mapped           netip.AddrPort
	ICMP             client.ICMP
	ReservationToken client.ReservationToken
	Family           client.Family
	Additional       netip.AddrPort
	Domain           string
	Lifetime         time.Duration
	RetryAfter       time.Duration
	ReuseAfter       time.Duration
	Until            time.Time
}

// request is the failure that the event tells of.
func (e Event) request(server netip.AddrPort) *RequestError {
	return &RequestError{
		Method: e.Method, Server: server, Peer: e.Peer, Code: e.Code, Reason: e.Reason,
		Signed: e.Signed, RetryAfter: e.RetryAfter, Until: e.Until,
	}
}

func (e Event) verdict() Closed {
	return Closed{Outcome: e.Outcome, Reason: e.Reason, ReuseAfter: e.ReuseAfter, Until: e.Until}
}

// event is the verdict as the last event, when the machine cannot tell it.
func (c Closed) event() Event {
	return Event{
		Kind: client.Closed, At: time.Now(), Outcome: c.Outcome, Reason: c.Reason,
		ReuseAfter: c.ReuseAfter, Until: c.Until,
	}
}

func newEvent(k clock, e client.Event) Event {
	out := Event{
		Kind: e.Kind, At: time.Now(), Code: e.Code, Reason: e.Reason, ServerName: e.ServerName, Signed: e.Signed,
		Outcome: e.Outcome, Peer: e.Peer, ConnectionID: e.ConnectionID, Channel: e.Channel, Relayed: e.Relayed, Mapped: e.Mapped,
		ICMP: e.ICMP, ReservationToken: e.ReservationToken, Family: e.Family, Additional: e.Additional, Domain: e.Domain, Lifetime: e.Lifetime, RetryAfter: e.RetryAfter, ReuseAfter: e.ReuseAfter,
		Until: k.at(e.Until),
	}
	if e.Method != 0 {
		out.Method = e.Method.String()
	}
	return out
}

// level: a user wants to know what failed and what began and ended.
func (e Event) level() slog.Level {
	switch e.Kind {
	case client.Allocated, client.Reclaimed, client.TokenNeeded:
		return slog.LevelInfo
	case client.Closed:
		if e.verdict().clean() {
			return slog.LevelInfo
		}
		return slog.LevelWarn
	case client.AllocateFailed, client.OptionRefused, client.AddressRefused, client.PermissionFailed, client.ChannelFailed, client.NeedNewPort,
		client.CredentialsExpired, client.RefreshFailed, client.AllocationLost, client.StreamBroken, client.ConnectionFailed, client.ConnectionLost:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// LogValue names what is set. Neither realm nor nonce is ever in an Event.
func (e Event) LogValue() slog.Value {
	attrs := make([]slog.Attr, 0, 8)
	text := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	address := func(name string, a netip.AddrPort) {
		if a.IsValid() {
			attrs = append(attrs, slog.String(name, a.String()))
		}
	}
	text("method", e.Method)
	if e.Code != 0 {
		attrs = append(attrs, slog.Int("code", e.Code), slog.Bool("signed", e.Signed))
	}
	text("reason", e.Reason)
	text("server", e.ServerName)
	text("outcome", e.Outcome.String())
	address("peer", e.Peer)
	address("relayed", e.Relayed)
	address("additional", e.Additional)
	address("mapped", e.Mapped)
	if e.Lifetime != 0 {
		attrs = append(attrs, slog.Duration("lifetime", e.Lifetime))
	}
	if !e.Until.IsZero() {
		attrs = append(attrs, slog.Time("until", e.Until))
	}
	return slog.GroupValue(attrs...)
}
