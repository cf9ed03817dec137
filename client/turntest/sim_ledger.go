package turntest

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// ledger is what an observer on the client's wire knows: each request with its
// copies, and what the answers that arrived allow.
type ledger struct {
	requests map[TransactionID]*sentRequest
	signed   bool // credentials were sent
	last     *sentRequest
	allocate *sentRequest // the newest Allocate
	refresh  *sentRequest // the newest Refresh that asks for life, of the present allocation
	release  *sentRequest // the newest release from the present port

	// Since the last Allocated:
	channels    map[uint16]boundChannel
	permissions map[netip.Addr]time.Duration // until when
	binds       []sentBind
	batched     map[netip.Addr]bool // of those asked for and not told of: together with others only
	maker       string              // who made the allocation; "" = nobody
	allocatedAt time.Duration
	retryBy     time.Duration // a Refresh is to be made until then

	signedErrors map[int]bool // codes that arrived in valid signed errors
	verdict      *sentRequest // whose valid answer said that nothing is held
	releases     int          // since the last Allocate, each signature one
	recent       []time.Duration
	pending      []*sentRequest // that further copies are expected of
	keptAlive    time.Duration  // the last keep-alive

	moving     bool // from Rebind to the answer to the move
	adrift     bool // another flow, and no answer yet that the allocation is there
	ticket     string
	ticketFlow client.Flow // on which it came
}

// sentRequest is one transaction of the client's.
type sentRequest struct {
	*Message
	bytes               []byte
	firstSent, lastSent time.Duration
	copies              int
	rto                 time.Duration   // of its first copy
	key                 []byte          // that it is signed with; nil = unsigned
	badKey              bool            // it is signed, but by none of the owner's credentials
	answered            bool            // by a valid answer
	disturbed           bool            // by any answer, true or false, or by an error of the path
	settled             bool            // its first valid answer said that nothing is held
	granted             []time.Duration // when the server sent the valid successes that arrived
}

type boundChannel struct {
	peer  netip.AddrPort
	until time.Duration
}

type sentBind struct {
	number   uint16
	peer     netip.AddrPort
	lastSent time.Duration
}

func newLedger() ledger {
	return ledger{
		requests: map[TransactionID]*sentRequest{}, channels: map[uint16]boundChannel{},
		permissions: map[netip.Addr]time.Duration{}, batched: map[netip.Addr]bool{}, signedErrors: map[int]bool{},
	}
}

// How long an answered request is good for: from its first copy on, because
// that may be the one that the server counted from.
const (
	permissionTerm = 300 * time.Second
	channelTerm    = 600 * time.Second
)

// keyOf finds the key that a request is signed with, among the owner's.
func (a *actor) keyOf(m *Message) []byte {
	for _, c := range a.passwords {
		if key := m.KeyOf(c.username, c.password); m.By(c.username) && m.Verify(key) {
			return key
		}
	}
	return nil
}

// keyFor is the key to render a datagram with.
func (a *actor) keyFor(datagram []byte) []byte {
	m, err := Decode(datagram)
	if err != nil {
		return nil
	}
	if r := a.ledger.requests[m.ID]; r != nil {
		return r.key
	}
	return a.keyOf(m)
}

// noteRequest enters a request that the client sends; it answers the entry.
func (a *actor) noteRequest(m *Message, datagram []byte) *sentRequest {
	l, now := &a.ledger, a.w.now
	r := l.requests[m.ID]
	if r == nil {
		r = &sentRequest{Message: m, bytes: datagram, firstSent: now, key: a.keyOf(m), rto: a.m.RTO()}
		r.badKey = m.Signed() && r.key == nil
		l.requests[m.ID] = r
		l.await(r)
	} else {
		a.checkHaste(r)
	}
	r.copies++
	r.lastSent = now
	l.last = r
	l.signed = l.signed || m.Signed()
	a.noteRefresh(r)
	if m.Method == MethodAllocate {
		l.allocate, l.verdict, l.releases = r, nil, 0
	}
	if m.Method == MethodChannelBind {
		a.noteBind(r)
	}
	if m.Method == MethodCreatePermission {
		l.noteBatch(r)
	}
	return r
}

func (a *actor) noteRefresh(r *sentRequest) {
	switch {
	case r.Method != MethodRefresh:
	case r.isRelease():
		a.ledger.release = r
		if r.copies == 1 {
			a.ledger.releases++
		}
		if a.closing != nil {
			a.closing.released = true
		}
	default:
		a.ledger.refresh, a.ledger.retryBy = r, 0
	}
}

func (l *ledger) noteBatch(r *sentRequest) {
	peers, _ := r.Addresses(AttrXORPeerAddress)
	for _, peer := range peers {
		_, asked := l.batched[peer.Addr()]
		switch {
		case len(peers) == 1:
			l.batched[peer.Addr()] = false
		case !asked:
			l.batched[peer.Addr()] = true
		}
	}
}

func (a *actor) noteBind(r *sentRequest) {
	number, _ := r.Channel()
	peer, _ := r.Address(AttrXORPeerAddress)
	for i := range a.ledger.binds {
		if b := &a.ledger.binds[i]; b.number == number && b.peer == peer {
			b.lastSent = a.w.now
			return
		}
	}
	a.ledger.binds = append(a.ledger.binds, sentBind{number, peer, a.w.now})
}

// startAfresh forgets what was allowed under the allocation before.
func (l *ledger) startAfresh() {
	clear(l.channels)
	clear(l.permissions)
	l.binds = l.binds[:0]
	l.maker, l.refresh = "", nil
}

// refreshing reports whether a Refresh that asks for life is unanswered.
func (l *ledger) refreshing() bool {
	return l.last != nil && l.last.Method == MethodRefresh && !l.last.isRelease() && !l.last.disturbed
}

// allocatedSigned: the newest Allocate carried credentials, so that the
// allocation it made, or may have made, is released with them.
func (l *ledger) allocatedSigned() bool { return l.allocate != nil && l.allocate.Signed() }

func (r *sentRequest) sameBytes(datagram []byte) bool { return bytes.Equal(r.bytes, datagram) }

// claim is what an event said: until then the server may hold something that
// was sent before the claim was made.
type claim struct {
	at, until time.Duration
	by        client.EventKind
}

// worldLedger knows when each request that reached the server had been sent.
type worldLedger struct {
	arrivals map[arrival]time.Duration // sent at
}

type arrival struct {
	id TransactionID
	at time.Duration
}

func newWorldLedger() worldLedger { return worldLedger{arrivals: map[arrival]time.Duration{}} }

func (l *worldLedger) atServer(p Packet) {
	if m, err := Decode(p.Data); err == nil && m.Class == Request {
		l.arrivals[arrival{m.ID, p.DueAt}] = p.SentAt
	}
}
