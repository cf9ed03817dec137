package turntest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"
)

// Forgery is a kind of datagram that an attacker sends to a client.
type Forgery uint8

const (
	// ForgedError answers a request with an error, unsigned.
	ForgedError Forgery = iota
	// ForgedChallenge is a 401 or 438 with the attacker's own realm and nonce.
	ForgedChallenge
	// ForgedSuccess answers a request, unsigned.
	ForgedSuccess
	// ForgedSignature answers it with a MESSAGE-INTEGRITY of another key.
	ForgedSignature
	// ForgedAppendix is a real response with attributes behind its integrity.
	ForgedAppendix
	// ForgedData is a Data indication; ForgedChannelData what it says.
	ForgedData
	ForgedChannelData
	// ForgedRequest is a request to the client.
	ForgedRequest
	// Garbage is bytes; half of them begin like a STUN message.
	Garbage
	// ElsewhereError is a forged error from an address that is not the server's.
	ElsewhereError
	// ForgeryCount is how many there are.
	ForgeryCount
)

var forgeryNames = [ForgeryCount]string{
	"error", "challenge", "success", "signature", "appendix", "data", "channel data",
	"request", "garbage", "error from elsewhere",
}

func (f Forgery) String() string {
	if f < ForgeryCount {
		return forgeryNames[f]
	}
	return fmt.Sprintf("forgery-%d", uint8(f))
}

// forgedCodes is every error code that a TURN client may have heard of, and two
// that nobody has.
var forgedCodes = []int{300, 400, 401, 403, 405, 408, 420, 437, 438, 440, 441, 442, 443, 446, 447, 486, 500, 508, 599, 699}

// Forger is an attacker off the path: it can send from any address and knows
// the 5-tuple, and, for strength, sees transaction IDs. It has no key.
type Forger struct {
	// Rate is the chance that a datagram to or from the server provokes one.
	Rate float64
	// Peer is where its data claims to come from.
	Peer netip.AddrPort
	// Blind keeps the transaction IDs from it: it guesses.
	Blind bool
	Rand  *rand.Rand
	// Sent counts what it sent, by kind.
	Sent [ForgeryCount]int
}

// Provoke shows the attacker a datagram between a client and the server; it may
// send a forgery to the client, before or after the real answer.
func (f *Forger) Provoke(n *Network, now time.Duration, client, server netip.AddrPort, datagram []byte) {
	if f == nil || f.Rand.Float64() >= f.Rate {
		return
	}
	kind := Forgery(f.Rand.IntN(int(ForgeryCount)))
	forged := f.forge(kind, server, datagram)
	if forged == nil {
		return
	}
	f.Sent[kind]++
	from := server
	if kind == ElsewhereError {
		from = netip.AddrPortFrom(server.Addr(), server.Port()+1)
	}
	n.Inject(now, Datagram{From: from, To: client, Data: forged}, f.upTo(400*time.Millisecond))
}

func (f *Forger) upTo(d time.Duration) time.Duration { return time.Duration(f.Rand.Int64N(int64(d))) }

// forge builds a forgery about a datagram that it has seen; nil when the kind
// has nothing to go by.
func (f *Forger) forge(kind Forgery, server netip.AddrPort, datagram []byte) []byte {
	switch kind {
	case ForgedData:
		return Build(MethodData, Indication, f.randomID()).Address(AttrXORPeerAddress, f.Peer).
			Text(AttrData, "forged").Datagram()
	case ForgedChannelData:
		return ChannelData(minChannel+uint16(f.Rand.IntN(0x1000)), []byte("forged"))
	case ForgedRequest:
		return Build(MethodRefresh, Request, f.randomID()).Lifetime(0).Datagram()
	case Garbage:
		return f.garbage()
	}
	m, err := Decode(datagram)
	if err != nil {
		return nil
	}
	if kind == ForgedAppendix {
		return f.appendix(m, datagram)
	}
	if m.Class != Request {
		return nil
	}
	return f.answer(kind, m, server)
}

// answer forges the answer to a request.
func (f *Forger) answer(kind Forgery, m *Message, server netip.AddrPort) []byte {
	id := m.ID
	if f.Blind {
		id = f.randomID()
	}
	switch kind {
	case ForgedChallenge:
		code := []int{401, 438}[f.Rand.IntN(2)]
		return forgedChallenge(Build(m.Method, Failure, id).Error(code, ""), f.Rand.IntN(1000))
	case ForgedSuccess:
		return f.success(m, id, server).Datagram()
	case ForgedSignature:
		return f.success(m, id, server).Integrity([]byte("guessed")).Datagram()
	}
	code := forgedCodes[f.Rand.IntN(len(forgedCodes))]
	return Build(m.Method, Failure, id).Error(code, "forged").Datagram()
}

// forgedChallenge promises algorithms every fifth time, and hides what it
// promised every other fifth time.
func forgedChallenge(b *Builder, n int) []byte {
	b.Text(AttrRealm, "evil.example")
	switch n % 5 {
	case 0:
		b.Text(AttrNonce, fmt.Sprintf("obMatJos2wAAAforged%d", n)).Algorithms(AlgorithmSHA256, AlgorithmMD5)
	case 1:
		b.Text(AttrNonce, fmt.Sprintf("obMatJos2AAABforged%d", n))
	default:
		b.Text(AttrNonce, fmt.Sprintf("forged%d", n))
	}
	return b.Datagram()
}

// success has everything that the real one could have.
func (f *Forger) success(m *Message, id TransactionID, server netip.AddrPort) *Builder {
	lifetime, release := time.Hour, m.isRelease()
	if release || f.Rand.IntN(4) == 0 {
		lifetime = 0
	}
	return Build(m.Method, Success, id).Lifetime(lifetime).
		Address(AttrXORRelayedAddress, netip.AddrPortFrom(server.Addr(), 6666)).
		Address(AttrXORMappedAddress, netip.AddrPortFrom(server.Addr(), 7777))
}

// appendix puts LIFETIME=0 behind the integrity of a signed response.
func (f *Forger) appendix(m *Message, datagram []byte) []byte {
	if m.Class != Success || !m.Signed() {
		return nil
	}
	b := &Builder{raw: append([]byte(nil), datagram...), id: m.ID}
	return b.Lifetime(0).Error(437, "forged").Text(0x7ABC, "what is this").Datagram()
}

func (f *Forger) garbage() []byte {
	b := make([]byte, f.Rand.IntN(64))
	for i := range b {
		b[i] = byte(f.Rand.Uint32())
	}
	if len(b) > 8 && f.Rand.IntN(2) == 0 {
		copy(b, []byte{1, byte(f.Rand.IntN(16)), 0, byte(len(b) &^ 3), 0x21, 0x12, 0xA4, 0x42})
	}
	return b
}

func (f *Forger) randomID() (id TransactionID) {
	for i := range id {
		id[i] = byte(f.Rand.Uint32())
	}
	return id
}
