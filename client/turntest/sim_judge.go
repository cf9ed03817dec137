package turntest

import (
	"net/netip"
	"slices"
	"time"
)

// judgement says what an arriving datagram is worth.
type judgement struct {
	message   *Message     // nil when it is no STUN message
	request   *sentRequest // that it answers; nil = none
	authentic bool         // from the server's address, and signed with the request's key where that was signed, or where the server has ever signed
	doubtful  bool         // authentic unless the client has seen that the server signs
	elsewhere bool         // not from the server's address
	again     bool         // the request had had a valid answer before
	late      bool         // it had had any answer before
}

// judge looks at a datagram before the machine does, and enters what it allows.
func (a *actor) judge(p Packet) judgement {
	j := judgement{elsewhere: p.From != a.w.plan.server.Addr}
	m, err := Decode(p.Data)
	if err != nil {
		return j
	}
	j.message = m
	a.noteSignature(m)
	if m.Class == Success || m.Class == Failure {
		j.request = a.ledger.requests[m.ID]
	}
	if j.request != nil {
		j.again, j.late, j.request.disturbed = j.request.answered, j.request.disturbed, true
		if j.late {
			a.ledger.disturbSuccessor(j.request)
		}
	}
	if j.request == nil || j.elsewhere || j.request.Method != m.Method || !m.FingerprintRight() {
		return j
	}
	signed := m.Verify(j.request.key)
	j.authentic = signed || !j.request.Signed() && !a.signed
	j.doubtful = !j.authentic && !j.request.Signed() && !a.proven
	a.proven = a.proven || signed && slices.Contains(a.ledger.pending, j.request)
	if (j.authentic || j.doubtful && !j.request.isRelease()) && a.closed == nil {
		a.noteAnswer(j.request, m, p)
	}
	return j
}

// noteSignature: whatever carries a key that the client has used shows that the
// server signs, an answer to an earlier run on the same port too.
func (a *actor) noteSignature(m *Message) {
	if a.signed || !m.Signed() {
		return
	}
	for _, r := range a.ledger.requests {
		if m.Verify(r.key) {
			a.signed = true
			return
		}
	}
}

// disturbSuccessor: an answer to a request that was signed anew may end the one
// that took its place.
func (l *ledger) disturbSuccessor(elder *sentRequest) {
	for _, r := range l.pending {
		r.disturbed = r.disturbed || r.Method == elder.Method
	}
}

func (a *actor) noteAnswer(r *sentRequest, m *Message, p Packet) {
	if r.Method == MethodAllocate {
		a.ledger.disturb() // an answer to one that was replaced may end its successor
	}
	first := !r.answered
	r.answered = true
	a.noteTerms(r)
	if m.Class == Failure {
		code, _ := m.ErrorCode()
		a.ledger.signedErrors[code] = a.ledger.signedErrors[code] || r.key != nil
		if code == 437 && r.Method != MethodAllocate && len(m.Unknown()) == 0 && !a.ledger.says437Nothing(r) {
			a.ledger.verdict, r.settled = r, first
		}
		return
	}
	if len(m.Unknown()) > 0 {
		return // T8: it is discarded
	}
	r.granted = append(r.granted, p.SentAt)
	switch r.Method {
	case MethodRefresh:
		if lifetime, has := m.Lifetime(); lifetime == 0 && (has || r.isRelease()) {
			a.ledger.verdict, r.settled = r, first
		}
	case MethodCreatePermission:
		peers, _ := r.Addresses(AttrXORPeerAddress)
		for _, peer := range peers {
			a.permit(peer.Addr(), r.firstSent)
			a.sendAtTerm(netip.AddrPortFrom(peer.Addr(), 4000), r.firstSent+permissionTerm)
		}
	case MethodChannelBind:
		number, _ := r.Channel()
		peer, _ := r.Address(AttrXORPeerAddress)
		until := max(a.ledger.channels[number].until, r.firstSent+channelTerm)
		a.ledger.channels[number] = boundChannel{peer, until}
		a.sendAtTerm(peer, until)
		a.permit(peer.Addr(), r.firstSent)
	}
}

func (a *actor) permit(ip netip.Addr, since time.Duration) {
	a.ledger.permissions[ip] = max(a.ledger.permissions[ip], since+permissionTerm)
}
