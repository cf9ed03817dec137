package bridge

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Config is what a Bridge is made from.
type Config struct {
	// TLS brings the certificate; the rest is up to the bridge.
	TLS *tls.Config
	// Servers are the TURN URIs that a session may name: turn:HOST[:PORT]. At
	// least one.
	Servers []string
	// Origins are the origins of pages that may open a session, as a browser
	// writes them: https://example.org. "none" stands for a request without an
	// Origin, which is no browser's; "*" for every request. At least one.
	Origins []string
	// Token, if set, is what every session has to bring.
	Token string
	// Limits; the zero value of each is its default.
	Limits Limits
	// Log gets sessions and their ends; nil: nobody.
	Log *slog.Logger
	// Metrics is where the bridge registers its metrics; nil: nowhere.
	Metrics prometheus.Registerer
}

// Limits of a Bridge. The zero value of a field is its default.
type Limits struct {
	// Sessions in all: 1000. A session counts until its socket is closed.
	Sessions int
	// SessionsPerAddress of one IPv4 address or IPv6 /64: 16.
	SessionsPerAddress int
	// PacketsPerSecond and BytesPerSecond of a session, each way: 10000, 8 MiB.
	// Bursts of one second's worth pass; what is beyond is dropped. A page that
	// loses as much again for ten seconds is ended with CodeFlood.
	PacketsPerSecond int
	BytesPerSecond   int
	// Start is the time from the QUIC handshake to the CONNECT, and from there
	// to the first packet: 15 s.
	Start time.Duration
	// Idle is the longest time between two packets from the page: 15 min, more
	// than an allocation lives without a Refresh.
	Idle time.Duration
	// Silence is how long a page that answers nothing, not even QUIC's own
	// pings, is taken for alive: 30 s.
	Silence time.Duration
}

// Defaults fills what is zero.
func (l Limits) withDefaults() Limits {
	set(&l.Sessions, 1000)
	set(&l.SessionsPerAddress, 16)
	set(&l.PacketsPerSecond, 10000)
	set(&l.BytesPerSecond, 8<<20)
	set(&l.Start, 15*time.Second)
	set(&l.Idle, 15*time.Minute)
	set(&l.Silence, 30*time.Second)
	return l
}

func set[T int | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

func (l Limits) check() error {
	if min(l.Sessions, l.SessionsPerAddress, l.PacketsPerSecond, l.BytesPerSecond) < 0 ||
		min(l.Start, l.Idle, l.Silence) < 0 {
		return errors.New("a limit is negative")
	}
	return nil
}

func (cfg *Config) check() error {
	if cfg.TLS == nil || len(cfg.TLS.Certificates) == 0 && cfg.TLS.GetCertificate == nil && cfg.TLS.GetConfigForClient == nil {
		return errors.New("bridge: no certificate")
	}
	if err := cfg.Limits.check(); err != nil {
		return fmt.Errorf("bridge: %w", err)
	}
	return nil
}
