package turntest

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// answerLifetime is how long answers are kept for retransmissions.
//
// "The easiest way to meet this requirement is for the server to remember all
// transaction IDs received over UDP or DTLS-over-UDP and their corresponding
// responses in the last 40 seconds."
// https://www.rfc-editor.org/rfc/rfc8489#section-6.3.1
const answerLifetime = 40 * time.Second

// exchange is one request under way to its answer.
type exchange struct {
	s     *Server
	m     *Message
	from  netip.AddrPort
	fault Fault

	key      []byte // nil until the request is authenticated
	username string
	reply    *Builder // nil = silence
	signed   bool
	modern   bool // by MESSAGE-INTEGRITY-SHA256
}

type storedAnswer struct {
	at   time.Duration
	data []byte
}

func (s *Server) handleRequest(from netip.AddrPort, m *Message) {
	if stored, ok := s.answers[m.ID]; ok && s.cfg.Replay && s.now-stored.at < answerLifetime {
		s.send(from, stored.data)
		return
	}
	x := &exchange{s: s, m: m, from: from, fault: s.fault(m)}
	if x.fault == Deaf {
		s.commit(Deaf)
		return
	}
	s.handled[m.ID]++
	if x.fault == Forget {
		s.forget(from)
	}
	x.answer()
	x.finish()
}

// commit counts a fault at the moment at which it takes effect.
func (s *Server) commit(f Fault) { s.Faults[f]++ }

func (s *Server) forget(client netip.AddrPort) {
	if h := s.holdings[client]; h != nil {
		s.commit(Forget)
		s.remove(h)
		delete(s.nonces, client)
	}
}

// answer finds the answer to a request and leaves it in x.reply.
func (x *exchange) answer() {
	if x.m.Method == MethodBinding {
		x.succeed().Address(AttrXORMappedAddress, x.from)
		return
	}
	if x.m.Method == MethodAllocate && x.allocatedBefore() {
		return
	}
	if !x.authenticate() {
		return
	}
	if code, ok := refusals[x.fault]; ok && !x.acceptedUnsigned() {
		x.s.commit(x.fault)
		x.refuseBy(code)
		return
	}
	if unknown := x.m.Unknown(); len(unknown) > 0 {
		x.refuseUnknown(unknown)
		return
	}
	switch x.m.Method {
	case MethodAllocate:
		x.allocate()
	case MethodRefresh:
		x.refresh()
	case MethodCreatePermission:
		x.createPermission()
	case MethodChannelBind:
		x.channelBind()
	case MethodConnect:
		x.connect()
	case MethodConnectionBind:
		x.connectionBind()
	default:
		x.refuse(400)
	}
}

// acceptedUnsigned: a copy of this very request made the allocation, without
// credentials. Then it is not refused by a whim: a client that signs nothing
// takes an error at its word, and RFC 8656 section 7.2 has the server detect
// the copy. (One that signs has to bear a server that refuses one copy and
// accepts another.)
func (x *exchange) acceptedUnsigned() bool {
	h := x.s.holdings[x.from]
	return h != nil && x.key == nil && h.madeBy == x.m.ID
}

// refuseBy refuses as a fault wants it, with what goes with the code.
func (x *exchange) refuseBy(code int) {
	x.refuse(code)
	if code == 300 {
		x.reply.Address(AttrAlternateServer, x.s.cfg.Alternate)
	}
}

// refuseUnknown answers 420 with the list.
// https://www.rfc-editor.org/rfc/rfc8489#section-6.3.1
func (x *exchange) refuseUnknown(types []AttributeType) {
	x.refuse(420)
	x.reply.UnknownAttributes(types)
}

func (x *exchange) succeed() *Builder {
	x.reply = Build(x.m.Method, Success, x.m.ID)
	x.signed = x.key != nil
	return x.reply
}

var reasons = map[int]string{
	300: "Try Alternate", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
	405: "Mobility Forbidden",
	420: "Unknown Attribute", 437: "Allocation Mismatch", 438: "Stale Nonce",
	440: "Address Family not Supported", 446: "Connection Already Exists", 447: "Connection Timeout or Failure", 441: "Wrong Credentials",
	442: "Unsupported Transport Protocol", 443: "Peer Address Family Mismatch",
	486: "Allocation Quota Reached", 500: "Server Error", 508: "Insufficient Capacity",
}

func (x *exchange) refuse(code int) {
	reason := reasons[code]
	switch {
	case x.s.habits.emptyReason:
		reason = ""
	case x.s.habits.paddedReason:
		reason += strings.Repeat("\x00", padding(len(reason)))
	}
	x.reply = Build(x.m.Method, Failure, x.m.ID).Error(code, reason)
	x.signed = x.key != nil && x.s.signs(x.m.Method, code)
}

// finish spoils the answer as the fault wants, signs it, and sends it.
func (x *exchange) finish() {
	if x.reply == nil {
		return
	}
	x.spoil()
	if x.signed {
		x.sign()
	}
	data := x.reply.Datagram()
	x.s.answers[x.m.ID] = storedAnswer{x.s.now, data}
	switch x.fault {
	case Mute:
		x.s.commit(Mute)
	case Late:
		x.s.commit(Late)
		x.s.sendLate(x.from, data)
	default:
		x.s.send(x.from, data)
	}
	x.s.handOver(x.from)
}

// spoil takes attributes away from the answer, or adds a strange one.
func (x *exchange) spoil() {
	switch x.fault {
	case NoRelayed:
		x.strip(AttrXORRelayedAddress)
	case NoLifetime:
		x.strip(AttrLifetime)
	case StrangeAttribute:
		x.s.commit(StrangeAttribute)
		x.reply.Text(0x7ABC, "what is this")
	}
}

// strip rebuilds the answer without an attribute.
func (x *exchange) strip(t AttributeType) {
	m, err := Decode(x.reply.Datagram())
	if err != nil || !m.Has(t) {
		return
	}
	x.s.commit(x.fault)
	x.reply = Build(m.Method, m.Class, m.ID)
	for _, a := range m.Attributes {
		if a.Type != t {
			x.reply.Bytes(a.Type, a.Value)
		}
	}
}

func (x *exchange) sign() {
	switch x.fault {
	case NoIntegrity:
		x.s.commit(NoIntegrity)
	case WrongIntegrity:
		x.s.commit(WrongIntegrity)
		x.integrity([]byte("not the key"))
	default:
		x.integrity(x.key)
	}
}

func (s *Server) send(to netip.AddrPort, data []byte) {
	if s.streams[to] != nil {
		data = Framed(data)
	}
	s.out = append(s.out, Datagram{s.cfg.Addr, to, data})
}

// sendLate keeps the queue sorted by its instants.
func (s *Server) sendLate(to netip.AddrPort, data []byte) {
	due := s.now + time.Duration(s.cfg.Rand.Int64N(int64(s.cfg.LateBy))) + time.Millisecond
	at := len(s.late)
	for at > 0 && s.late[at-1].due > due {
		at--
	}
	s.late = slices.Insert(s.late, at, lateDatagram{due, Datagram{s.cfg.Addr, to, data}})
}
