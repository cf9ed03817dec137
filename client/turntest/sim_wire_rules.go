package turntest

import (
	"net/netip"
	"slices"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// checkEvent holds one event against what arrived.
func (a *actor) checkEvent(e client.Event) {
	switch e.Kind {
	case client.Allocated:
		a.ledger.startAfresh()
		a.ledger.disturb()
		a.ledger.maker, a.ledger.allocatedAt = a.userOf(a.ledger.allocate.Message), a.w.now
		a.allocated = true
	case client.AllocationLost:
		a.ledger.startAfresh()
		if !a.allocated {
			a.w.violate(a, "L7", "an allocation is lost that was not there, or twice")
		}
		a.allocated = false
		a.ledger.overtake(anyRequest)
	case client.AllocateFailed, client.NeedNewPort, client.Reclaimed, client.OptionRefused:
		a.ledger.disturb()
	case client.Closed:
		a.ledger.overtake(anyRequest)
	}
	a.noteMove(e)
	a.checkAlone(e)
	// A10: "its event says unsigned". 401 and 438 never are signed.
	if e.Signed && e.Code != 0 && !a.ledger.signedErrors[e.Code] {
		a.w.violate(a, "A10", "%v says that the %d was signed; none such arrived", e.Kind, e.Code)
	}
	// P4: data from a peer that was never asked for is dropped.
	if e.Kind == client.DataReceived && e.Channel == 0 && !a.asked(e.Peer.Addr()) {
		a.w.violate(a, "P4", "data from %v, for which no permission was asked", e.Peer)
	}
}

// asked: a request for a permission for the IP was sent, by either method.
func (a *actor) asked(ip netip.Addr) bool {
	for _, r := range a.ledger.requests {
		if r.Method != MethodCreatePermission && r.Method != MethodChannelBind {
			continue
		}
		peers, _ := r.Addresses(AttrXORPeerAddress)
		for _, p := range peers {
			if p.Addr() == ip {
				return true
			}
		}
	}
	return false
}

// checkSent holds one datagram against the rules, and enters it.
func (a *actor) checkSent(t client.Transmit) {
	a.checkFrame(t)
	if number, _, err := DecodeChannelData(t.Data); err == nil {
		a.checkChannelData(number)
		return
	}
	m, err := Decode(t.Data)
	switch {
	case err != nil:
		a.w.violate(a, "T7", "it sends what is neither STUN nor ChannelData: %v", err)
	case t.To != a.w.plan.server.Addr:
		a.w.violate(a, "T4", "it sends to %v", t.To)
	case m.Class == Indication && m.Method == MethodSend:
		a.checkSendIndication(m)
	case m.Class == Indication && m.Method == MethodBinding:
		a.checkKeepalive()
	case m.Class == Request:
		before := a.ledger.release
		a.checkTicket(m, t.Flow)
		a.checkRequest(m, t.Data)
		if t.Flow != a.flow { // it frees another port than the present one
			a.ledger.release = before
		}
	default:
		a.w.violate(a, "T7", "it sends %s", Describe(t.Data, nil))
	}
}

// I4: no ChannelData on a number that is not confirmed and unexpired, ...
func (a *actor) checkChannelData(number uint16) {
	ch, ok := a.ledger.channels[number]
	switch {
	case !ok:
		a.w.violate(a, "I4", "ChannelData on 0x%04x, which was never confirmed", number)
	case ch.until <= a.w.now:
		a.w.violate(a, "I4", "ChannelData on 0x%04x, which expired at %v", number, ch.until)
	default:
		a.checkPermission(ch.peer.Addr())
	}
}

func (a *actor) checkSendIndication(m *Message) {
	peer, ok := m.Address(AttrXORPeerAddress)
	if !ok || !m.Has(AttrData) {
		a.w.violate(a, "D1", "a Send indication without peer or data")
		return
	}
	a.checkPermission(peer.Addr())
}

// ... no data to a peer without permission.
func (a *actor) checkPermission(ip netip.Addr) {
	until, ok := a.ledger.permissions[ip]
	switch {
	case !ok:
		a.w.violate(a, "I4", "data to %v, for which there is no permission", ip)
	case until <= a.w.now:
		a.w.violate(a, "I4", "data to %v, whose permission expired at %v", ip, until)
	}
}

func (a *actor) checkRequest(m *Message, datagram []byte) {
	known := a.ledger.requests[m.ID]
	if m.Method == MethodChannelBind && known == nil {
		a.checkQuarantine(m)
	}
	if m.Method == MethodAllocate && known == nil {
		a.checkNewAllocate()
		a.checkReuse(m)
	}
	r := a.noteRequest(m, datagram)
	a.checkResend(r, datagram)
	a.checkSize(datagram)
	a.checkStorm(r)
	a.checkPassword(r)
	a.checkMaker(r)
	a.checkTerms(r)
	if r.badKey {
		a.w.violate(a, "A6", "a request signed with none of the credentials that it was given: %s", Describe(datagram, nil))
	}
}

// I5, which is H3: the last send of any bind of the pair + 900 s before the
// number or the peer meets another.
func (a *actor) checkQuarantine(m *Message) {
	const quarantine = 900 * time.Second
	number, _ := m.Channel()
	peer, _ := m.Address(AttrXORPeerAddress)
	if number < minChannel || number > maxChannel {
		a.w.violate(a, "H1", "channel number 0x%04x", number)
	}
	for _, b := range a.ledger.binds {
		if (b.number == number) != (b.peer == peer) && a.w.now < b.lastSent+quarantine {
			a.w.violate(a, "I5", "0x%04x is bound to %v; at %v 0x%04x was to %v", number, peer, b.lastSent, b.number, b.peer)
		}
	}
}

// I6: a resend is the same bytes; T1: and there are at most Rc of one.
func (a *actor) checkResend(r *sentRequest, datagram []byte) {
	if !r.sameBytes(datagram) {
		a.w.violate(a, "I6", "transaction %v was sent with other bytes before", r.ID)
	}
	limit := a.copiesAllowed()
	if r.copies > limit {
		a.w.violate(a, "T1", "transaction %v is sent for the %dth time, Rc is %d", r.ID, r.copies, limit)
	}
}

// T14: control messages fit 548 bytes on IPv4.
func (a *actor) checkSize(datagram []byte) {
	const most = 548
	if len(datagram) > most {
		a.w.violate(a, "T14", "a request of %d bytes", len(datagram))
	}
}

// checkStorm bounds new requests: no answer of the server's may drive a client
// into a loop. Resends are bounded by T1.
func (a *actor) checkStorm(r *sentRequest) {
	most, window := 40, time.Second
	if a.bursts {
		most += 4 * burst // each is signed anew, refused, asked about and bound once more
	}
	if r.copies > 1 {
		return
	}
	l := &a.ledger
	l.recent = append(slices.DeleteFunc(l.recent, func(at time.Duration) bool { return at <= a.w.now-window }), a.w.now)
	if len(l.recent) > most {
		a.w.violate(a, "L7", "%d new requests within a second, the last a %v", len(l.recent), r.Method)
	}
}
