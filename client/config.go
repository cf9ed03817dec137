package client

import (
	"io"
	"net/netip"
	"time"
)

// Flow names one 5-tuple or stream that the host owns. Flow 0 is the first
// control path; the machine asks for others by an event.
type Flow uint32

// Family is the address family of the relayed transport address.
type Family uint8

const (
	// FamilyDefault sends no REQUESTED-ADDRESS-FAMILY: IPv4.
	FamilyDefault Family = 0
	// FamilyIPv4 asks for IPv4 by the attribute.
	FamilyIPv4 Family = 1
	// FamilyIPv6 asks for IPv6.
	FamilyIPv6 Family = 2
	// FamilyBoth asks for an address of either family (ADDITIONAL-ADDRESS-FAMILY).
	// The server may give one of them only: see AddressRefused.
	FamilyBoth Family = 3
)

// Config is what a client is made from. The zero value of a field is its
// default.
type Config struct {
	// Server is the server's transport address. Input from anywhere else is
	// ignored and counted.
	Server netip.AddrPort
	// Transport is what the flows to it carry: datagrams.
	Transport Transport
	// Secured: TLS or DTLS keeps what the flows carry from others.
	Secured bool
	// Relay is what the relayed transport address relays: datagrams. RelayTCP
	// wants TransportStream.
	Relay Relay
	// UnsignedBind takes the success of a ConnectionBind that is not signed,
	// although the request was: pion's servers send it so. Whoever can write to
	// the data connection could send it, and could send payload as well.
	UnsignedBind bool

	// Username and Password are the long-term credential, already prepared
	// (RFC 8265 OpaqueString). Both are copied; Free wipes the copies.
	Username []byte
	Password []byte
	// AccessToken is a token of RFC 7635. Username is then the name of its key
	// (kid), Password the key itself (mac_key), neither of them prepared.
	AccessToken []byte

	// Anonymous never sends the username where others can read it: an Allocate
	// to a server that takes no hash of it (RFC 8489's USERHASH) fails, unless
	// the flows are Secured. Without it the hash is sent where the server offers that, the username elsewhere.
	Anonymous bool

	// Family of the relayed transport address.
	Family Family
	// Lifetime to ask for; 0 leaves it to the server.
	Lifetime time.Duration

	// EvenPort asks for an even port, and the next one to be reserved. Where the
	// server has none the Allocate goes on without it (OptionRefused).
	EvenPort EvenPort
	// ReservationToken asks for a port that an earlier allocation had reserved. It excludes
	// EvenPort and Family.
	ReservationToken ReservationToken
	// DontFragment asks for DONT-FRAGMENT: Send indications carry it, so that
	// what the relay sends for them is not fragmented. Where the server does not
	// know it (OptionRefused) they are sent without.
	DontFragment bool

	// Software is sent in Allocate and Refresh; empty sends none.
	Software string
	// Fingerprint adds FINGERPRINT to requests.
	Fingerprint bool

	// RTO is the first retransmission time-out: 500 ms. It serves until a round
	// trip is measured; from then on it follows those, but is never less than
	// MinRTO, which is RTO by default.
	RTO, MinRTO time.Duration
	// RoundTrip is what an earlier client to this server has measured
	// (Client.RoundTrip). It is for those who remember it per server's IP
	// address, for ten minutes after its last transaction.
	RoundTrip RoundTrip
	// Rc is the number of sends of one request: 7. Rm is the wait after the
	// last send, in units of the RTO that the request began with: 16.
	Rc, Rm int

	// RefreshCap is the longest time between two Refreshes; 0 leaves it to the
	// lifetime.
	RefreshCap time.Duration
	// Keepalive sends a Binding indication so often while there is an
	// allocation, for the sake of NATs that forget sooner than a Refresh comes;
	// 0: never.
	Keepalive time.Duration

	// AutoPermission makes Send create the permission that it lacks, and queue
	// the payload meanwhile.
	AutoPermission bool
	// Reclaim declares the local port the caller's own: an allocation found
	// there (437) is released and the Allocate repeated, once.
	Reclaim bool
	// Reallocate allocates anew by itself when the allocation is lost, with the
	// permissions and channels that it had.
	Reallocate bool

	// Mobility asks the server for a ticket, with which Rebind moves the
	// allocation to another local address (RFC 8016).
	Mobility bool

	// Rand gives the transaction IDs. It must be a CSPRNG outside of tests.
	Rand io.Reader
}

// settings is what Init keeps of a Config.
type settings struct {
	server         netip.AddrPort
	family         Family
	anonymous      bool
	secured        bool
	fingerprint    bool
	autoPermission bool
	reclaim        bool
	reallocate     bool
	mobility       bool
	transport      Transport
	rc, rm         uint8
	minRTO         uint32        // in ms
	lastWait       time.Duration // after a stream's one send; 0: datagrams
	lifetime       time.Duration
	rto            time.Duration
	refreshCap     time.Duration
	software       string
	rand           io.Reader
	options        *options // nil: none
}

func (cfg *Config) settings() settings {
	s := settings{
		server: unmap(cfg.Server), family: cfg.Family, fingerprint: cfg.Fingerprint,
		anonymous:      cfg.Anonymous,
		secured:        cfg.Secured,
		autoPermission: cfg.AutoPermission, reclaim: cfg.Reclaim, reallocate: cfg.Reallocate, mobility: cfg.Mobility,
		transport: cfg.Transport, rc: uint8(cfg.Rc), rm: uint8(cfg.Rm), lifetime: cfg.Lifetime, rto: cfg.RTO,
		refreshCap: cfg.RefreshCap, software: cfg.Software, rand: cfg.Rand, options: cfg.options(),
	}
	if s.family == FamilyBoth {
		s.family = FamilyDefault // the options know
	}
	if s.rto == 0 {
		s.rto = defaultRTO
	}
	s.minRTO = uint32(s.rto / time.Millisecond)
	if cfg.MinRTO != 0 {
		s.minRTO = uint32(cfg.MinRTO / time.Millisecond)
	}
	if s.rc == 0 {
		s.rc = defaultRc
	}
	if s.rm == 0 {
		s.rm = defaultRm
	}
	if s.transport == TransportStream {
		s.sendOnce()
	}
	return s
}

func (cfg *Config) check() error {
	bad := func(why string) error { return &detailed{ErrConfig, why} }
	switch {
	case !cfg.Server.IsValid() || cfg.Server.Port() == 0 || cfg.Server.Addr().IsUnspecified():
		return bad("Server is not a transport address")
	case cfg.Rand == nil:
		return bad("Rand is missing")
	case cfg.identityFault() != "":
		return bad(cfg.identityFault())
	case len(cfg.Software) > maxReason:
		return bad("Software is longer than 128 bytes")
	case cfg.Transport > TransportStream:
		return bad("Transport is unknown")
	case cfg.Family > FamilyBoth:
		return bad("Family is unknown")
	case cfg.Lifetime < 0 || cfg.Lifetime > maxLifetime:
		return bad("Lifetime is out of range")
	case cfg.RTO < 0 || cfg.RTO > maxRTO || cfg.RTO != 0 && cfg.RTO < time.Millisecond:
		return bad("RTO is not between 1 ms and 1 min")
	case cfg.MinRTO < 0 || cfg.MinRTO > maxRTO || cfg.MinRTO != 0 && cfg.MinRTO < time.Millisecond:
		return bad("MinRTO is not between 1 ms and 1 min")
	case cfg.RoundTrip.Smoothed < 0 || cfg.RoundTrip.Variation < 0:
		return bad("RoundTrip is negative")
	case cfg.Rc < 0 || cfg.Rc > maxSends || cfg.Rm < 0 || cfg.Rm > maxWaits:
		return bad("Rc or Rm is out of range")
	case cfg.RefreshCap < 0 || cfg.RefreshCap != 0 && cfg.RefreshCap < refreshMinimum:
		return bad("RefreshCap is shorter than 1 s")
	}
	if why := cfg.checkOptions(); why != "" {
		return bad(why)
	}
	if why := cfg.relayFault(); why != "" {
		return bad(why)
	}
	return nil
}

// identityFault is what is wrong with whom the client is to be.
func (cfg *Config) identityFault() string {
	switch {
	case len(cfg.Username) > maxUsername:
		return "Username is longer than 508 bytes"
	case len(cfg.Password) > maxText:
		return "Password is longer than 763 bytes"
	case len(cfg.Username) == 0 && len(cfg.Password) != 0:
		return "Password without Username"
	case len(cfg.AccessToken) > maxToken:
		return "AccessToken is longer than 508 bytes"
	case len(cfg.AccessToken) != 0 && (len(cfg.Username) == 0 || len(cfg.Password) == 0):
		return "AccessToken without Username and Password, its key"
	}
	return ""
}
