package turntest

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// Datagram is one UDP datagram under way.
type Datagram struct {
	From, To netip.AddrPort
	Data     []byte
}

// ServerConfig is what a Server is made from. The zero value of a field is its
// default.
type ServerConfig struct {
	// Flavour is whose habits the server has.
	Flavour Flavour
	// Addr is the transport address that clients talk to.
	Addr netip.AddrPort
	// Relay and Relay6 are the IPs of relayed addresses; a family whose IP is
	// missing is not supported. Without both, Relay is 192.0.2.1.
	Relay, Relay6 netip.Addr

	// Realm is "example.org" by default.
	Realm string
	// Users maps a username to its password. Without any the server asks for
	// no authentication.
	Users map[string]string
	// Algorithms are the password algorithms that it offers, the best first;
	// none: it is a server of RFC 5389. Anonymity takes USERHASH. BitsFromRight
	// numbers the bits of the nonce cookie as erratum 6290 does.
	Algorithms               []uint16
	Anonymity, BitsFromRight bool

	// DefaultLifetime is 600 s, MaxLifetime 3600 s, Permission 300 s, Channel
	// 600 s, Nonce 3600 s.
	DefaultLifetime, MaxLifetime                       time.Duration
	PermissionLifetime, ChannelLifetime, NonceLifetime time.Duration
	// DeleteLate is how long the server holds an allocation after it has
	// answered its release. By default the flavour's.
	DeleteLate time.Duration

	// Denied are the peers that it refuses; Quota the allocations of one user
	// (486), Ports those of all (508), Permissions those of one allocation
	// (508). 0 = no bound.
	Denied                    []netip.Addr
	Quota, Ports, Permissions int

	// RelayTCP grants TCP allocations (RFC 6062). Unreachable are the peers that a
	// Connect does not reach (447). UnsignedBind signs no success of a
	// ConnectionBind, as pion does.
	RelayTCP     bool
	Unreachable  []netip.AddrPort
	UnsignedBind bool
	// NoReservations: it keeps no port for a token (508).
	NoReservations bool
	// Replay answers a request that it has answered before from a cache of
	// 40 s; otherwise each copy is handled anew ("stateless stack approach").
	Replay bool
	// Alternate is where a 300 points.
	Alternate netip.AddrPort
	// Mobility gives out tickets (RFC 8016); ForbidMobility answers 405 to who
	// asks for one. Without either the attribute is not known.
	Mobility, ForbidMobility bool
	// SignRefresh437 makes a coturn sign the 437 to a Refresh.
	SignRefresh437 bool

	// Rates are the chances, from 0 to 1, that a request meets a fault.
	Rates Rates
	// LateBy bounds how late a late answer is: 3 s.
	LateBy time.Duration
	// Rand serves every choice of the server's. Without it one with seed 0.
	Rand *rand.Rand
}

// Server is a TURN server as a sans-IO state machine, written from the server
// sections of RFC 8656. Datagrams go in by Handle, come out by Poll.
type Server struct {
	cfg    ServerConfig
	habits habits
	now    time.Duration

	holdings map[netip.AddrPort]*holding // by the client's address
	relays   map[netip.AddrPort]*holding // by the relayed address
	formers  map[netip.AddrPort]*holding // by the client's address of before its move
	tickets  map[string]*ticket
	nonces   map[netip.AddrPort]nonce
	nonceSeq int
	streams  map[netip.AddrPort]*Deframer // by the client's address

	ticketSeq int
	nextPort  uint16
	reserved  map[[8]byte]reservation
	tcp       relayTCP

	handled map[TransactionID]int // copies of each request that were handled
	answers map[TransactionID]storedAnswer
	armed   []armedFault
	out     []Datagram
	late    []lateDatagram

	// Faults counts the faults that it committed, by kind.
	Faults [FaultCount]int
}

type lateDatagram struct {
	due time.Duration
	Datagram
}

// NewServer makes a server that holds nothing.
func NewServer(cfg ServerConfig) *Server {
	cfg.setDefaults()
	return &Server{
		cfg: cfg, habits: flavourHabits[cfg.Flavour], nextPort: 49152,
		holdings: map[netip.AddrPort]*holding{}, relays: map[netip.AddrPort]*holding{},
		formers: map[netip.AddrPort]*holding{}, tickets: map[string]*ticket{},
		nonces: map[netip.AddrPort]nonce{}, handled: map[TransactionID]int{},
		streams: map[netip.AddrPort]*Deframer{},
		answers: map[TransactionID]storedAnswer{}, reserved: map[[8]byte]reservation{},
	}
}

func (cfg *ServerConfig) setDefaults() {
	setDefault(&cfg.DefaultLifetime, 600*time.Second)
	setDefault(&cfg.MaxLifetime, 3600*time.Second)
	setDefault(&cfg.PermissionLifetime, 300*time.Second)
	setDefault(&cfg.ChannelLifetime, 600*time.Second)
	setDefault(&cfg.NonceLifetime, 3600*time.Second)
	setDefault(&cfg.DeleteLate, flavourHabits[cfg.Flavour].deleteLate)
	setDefault(&cfg.LateBy, 3*time.Second)
	setDefault(&cfg.Realm, "example.org")
	cfg.DefaultLifetime = min(cfg.DefaultLifetime, cfg.MaxLifetime)
	if !cfg.Relay.IsValid() && !cfg.Relay6.IsValid() {
		cfg.Relay = netip.AddrFrom4([4]byte{192, 0, 2, 1})
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.New(rand.NewPCG(0, 0))
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Handle takes one datagram that arrived at local: at the server's own address
// from a client, or at a relayed address from a peer. Anything else is dropped.
func (s *Server) Handle(now time.Duration, local, from netip.AddrPort, datagram []byte) {
	s.Tick(now)
	if local != s.cfg.Addr {
		s.relayToClient(local, from, datagram)
		return
	}
	if s.relayConnection(from, datagram) {
		return
	}
	if number, payload, err := DecodeChannelData(datagram); err == nil {
		s.relayChannelData(from, number, payload)
		return
	}
	m, err := Decode(datagram)
	if err != nil || !m.FingerprintRight() {
		return
	}
	switch m.Class {
	case Request:
		s.handleRequest(from, m)
	case Indication:
		s.handleIndication(from, m)
	}
}

// Tick does what is due: late answers go out, what has expired goes.
func (s *Server) Tick(now time.Duration) {
	s.now = max(s.now, now)
	for len(s.late) > 0 && s.late[0].due <= s.now {
		s.out = append(s.out, s.late[0].Datagram)
		s.late = s.late[1:]
	}
	for _, h := range s.sorted() {
		h.expire(s.now)
		if h.gone(s.now) {
			s.remove(h)
		}
	}
	s.tickConnections()
}

// Next is the instant at which Tick has something to send.
func (s *Server) Next() (time.Duration, bool) {
	if len(s.late) == 0 {
		return 0, false
	}
	return s.late[0].due, true
}

// Poll hands out the next datagram to send.
func (s *Server) Poll() (Datagram, bool) {
	if len(s.out) == 0 {
		return Datagram{}, false
	}
	d := s.out[0]
	s.out = s.out[1:]
	return d, true
}

// SetPassword changes a user's password, or takes the user away with "".
func (s *Server) SetPassword(username, password string) {
	users := map[string]string{}
	for u, p := range s.cfg.Users {
		users[u] = p
	}
	users[username] = password
	s.cfg.Users = users
}

// sorted gives the holdings in one order, whatever the map's is.
func (s *Server) sorted() []*holding {
	out := make([]*holding, 0, len(s.holdings))
	for _, h := range s.holdings {
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b *holding) int {
		return cmp.Or(a.client.Addr().Compare(b.client.Addr()), cmp.Compare(a.client.Port(), b.client.Port()))
	})
	return out
}
