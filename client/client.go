package client

import (
	"encoding/binary"
	"io"
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// Headroom is how many bytes SendInPlace needs in front of a payload, Tailroom
// how many behind it: the header of a Send indication to an IPv6 peer is 52
// bytes at most, and its payload is padded to a multiple of 4.
const (
	Headroom = 64
	Tailroom = 4
)

// Transmit is a datagram to send.
type Transmit struct {
	Flow Flow
	To   netip.AddrPort
	Data []byte // good until the next call that is not a Poll
}

// Client is the machine. Its zero value wants Init.
//
// Clients lie by the thousand in one slab, so what few of them need at a time
// is behind a pointer that is nil, and the small fields stand together.
type Client struct {
	cfg   settings
	now   time.Duration
	auth  auth
	stats Stats
	trip  roundTrip

	requests []*transaction // oldest first
	forgone  []forgone

	lease      lease
	reusableAt time.Duration // the server may answer 437 to an Allocate before

	alloc           *allocation // in PhaseAllocated alone
	expired         *verdict    // the credentials were rejected
	mobile          *mobility   // nil without a ticket
	closing         *closing    // in PhaseClosing alone
	permissions     []permission
	permissionIndex permissionIndex
	channels        []channel
	channelIndex    channelIndex
	queue           *queue   // payloads wait for a permission
	framing         *framing // a part of a frame has come

	first     outgoing
	transmits []outgoing
	events    []Event
	received  received

	next wake

	partingID     transactionID
	flow          Flow
	nextFlow      Flow
	awaited       Flow // the flow that the caller is asked for; 0 = none
	channelStart  uint16
	phase         Phase // written by become alone
	ports         uint8 // local ports tried by this Allocate
	flowGone      bool
	reclaimed     bool
	familyRefused bool // 440
	immobile      bool // 405: the server forbids mobility
	hasFirst      bool
	departing     bool // PartingChanged follows the events
	stale         bool // next is to be found anew
}

// New makes a client. It emits nothing before Allocate.
func New(cfg Config) (*Client, error) {
	c := new(Client)
	if err := c.Init(cfg); err != nil {
		return nil, err
	}
	return c, nil
}

// Init makes c a new client; it is New for clients that live by value.
func (c *Client) Init(cfg Config) error {
	if err := cfg.check(); err != nil {
		return err
	}
	var start [2]byte
	if _, err := io.ReadFull(cfg.Rand, start[:]); err != nil {
		return ErrEntropy
	}
	*c = Client{
		cfg:          cfg.settings(),
		trip:         cfg.RoundTrip.packed(),
		nextFlow:     1,
		stale:        true,
		channelStart: binary.BigEndian.Uint16(start[:]) % maxChannels,
	}
	if c.Stream() {
		c.trip = roundTrip{}
	}
	c.auth.identity = identity{cfg.Username, cfg.Password, cfg.AccessToken}.clone()
	return nil
}

// Phase is the present phase.
func (c *Client) Phase() Phase { return c.phase }

// become enters a phase.
func (c *Client) become(p Phase) {
	c.phase = p
	c.rearm()
}

// Relayed is the relayed transport address; the zero AddrPort without an
// allocation.
func (c *Client) Relayed() netip.AddrPort {
	if c.alloc == nil {
		return netip.AddrPort{}
	}
	return c.lease.relayed
}

// Mapped is our server-reflexive address, as the server saw it when it
// allocated; the zero AddrPort without an allocation.
func (c *Client) Mapped() netip.AddrPort {
	if c.alloc == nil {
		return netip.AddrPort{}
	}
	return c.alloc.mapped
}

// Lifetime is what the server granted last; 0 without an allocation.
func (c *Client) Lifetime() time.Duration {
	if c.alloc == nil {
		return 0
	}
	return c.alloc.lifetime
}

// Stats are the counters.
func (c *Client) Stats() Stats { return c.stats }

// Free wipes credentials and keys and drops everything. c is closed after it.
// What the server holds stays there: Close comes first.
func (c *Client) Free() {
	for i := range c.forgone {
		if signer := c.forgone[i].signer; signer != nil {
			signer.wipe()
		}
	}
	for _, tx := range c.requests {
		if tx.signer != nil {
			tx.signer.wipe()
		}
	}
	c.auth.wipe()
	*c = Client{phase: PhaseClosed, stats: c.stats}
}

func (c *Client) draw(b []byte) error {
	_, err := io.ReadFull(c.cfg.rand, b)
	return err
}

// HandleInput takes one datagram. from is its source; the zero AddrPort says
// that the flow is connected and so can bring nothing but the server's.
func (c *Client) HandleInput(now time.Duration, flow Flow, from netip.AddrPort, data []byte) {
	now = c.at(now)
	c.stats.ReceivedMessages++
	c.stats.ReceivedBytes += uint64(len(data))
	switch {
	case c.phase == PhaseClosed:
		c.stats.IgnoredClosed++
	case c.Stream() || flow != c.flow && !c.takesFrom(flow): // HandleStream is for streams
		c.stats.IgnoredFlow++
	case from.IsValid() && unmap(from) != c.cfg.server:
		c.stats.IgnoredSource++
	case len(data) > 0 && data[0] < 4:
		c.handleSTUN(now, data)
	case len(data) > 0 && data[0]>>4 == 4:
		c.handleChannelData(now, data)
	default:
		// Others: "Reserved; MUST be dropped and an alert MAY be logged"
		// https://www.rfc-editor.org/rfc/rfc8656#section-12 table 3
		c.stats.IgnoredMalformed++
	}
}

func (c *Client) handleSTUN(now time.Duration, data []byte) {
	var room [6]stun.RawAttribute // as many as answers have
	var m message
	ok, badFingerprint := m.parse(data, room[:])
	switch {
	case badFingerprint:
		c.stats.IgnoredFingerprint++
	case !ok:
		c.stats.IgnoredMalformed++
	case m.Type.Class == stun.ClassSuccessResponse || m.Type.Class == stun.ClassErrorResponse:
		c.handleControlResponse(now, &m)
	case m.Type.Class != stun.ClassIndication || !c.takesIndication(m.Type.Method):
		c.stats.IgnoredUnexpected++
	case m.unknown:
		// "If the indication contains unknown comprehension-required attributes,
		// the indication is discarded and processing ceases."
		// https://www.rfc-editor.org/rfc/rfc8489#section-6.3.2
		c.stats.IgnoredAttribute++
	case m.Type.Method == stun.MethodConnectionAttempt:
		c.handleAttempt(now, &m)
	default:
		c.handleData(now, &m)
	}
}

// takesIndication: a UDP allocation has Data, a TCP one has ConnectionAttempt.
func (c *Client) takesIndication(method stun.Method) bool {
	if c.relay() != nil {
		return method == stun.MethodConnectionAttempt
	}
	return method == stun.MethodData
}

// handleControlResponse: the answer to a ConnectionBind comes on its own flow.
func (c *Client) handleControlResponse(now time.Duration, m *message) {
	if m.Type.Method == stun.MethodConnectionBind {
		c.stats.IgnoredUnexpected++
		return
	}
	c.handleResponse(now, m)
}
