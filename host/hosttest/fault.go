package hosttest

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// Match says whether a fault concerns a datagram.
type Match func(p Passage) bool

// IsRelease: a client's Refresh with LIFETIME 0.
func IsRelease(p Passage) bool { return p.ToServer && p.Message.IsRelease() }

// IsReleaseAnswer: the server's success that says that nothing is left.
func IsReleaseAnswer(p Passage) bool {
	return !p.ToServer && p.Type == RefreshSuccess && p.Lifetime <= 0
}

// IsRefresh: a client's Refresh that is not a release.
func IsRefresh(p Passage) bool { return p.ToServer && p.Message.IsRefresh() }

// IsRefreshAnswer: the server's success to a Refresh that is not a release.
func IsRefreshAnswer(p Passage) bool {
	return !p.ToServer && p.Type == RefreshSuccess && p.Lifetime > 0
}

// IsAllocate: a client's Allocate, with or without credentials.
func IsAllocate(p Passage) bool { return p.ToServer && p.Type == AllocateRequest }

// IsSignedAllocate: a client's Allocate with credentials.
func IsSignedAllocate(p Passage) bool { return IsAllocate(p) && p.Signed }

// IsChallenge: the server's 401 to an Allocate.
func IsChallenge(p Passage) bool {
	return !p.ToServer && p.Type == AllocateError && p.Code == 401
}

// IsAllocateSuccess: the server's answer that gives the relayed address.
func IsAllocateSuccess(p Passage) bool { return !p.ToServer && p.Type == AllocateSuccess }

// Everything is every datagram in both directions.
func Everything(Passage) bool { return true }

// Pass does nothing to anything.
func Pass(Passage) Action { return Action{} }

// First does act to the first n datagrams that match, 0 = to all of them.
func First(n int, match Match, act Fault) Fault {
	seen := 0
	return func(p Passage) Action {
		if !match(p) || (n > 0 && seen == n) {
			return Action{}
		}
		seen++
		return act(p)
	}
}

// Each tries the faults in turn; the first one that does anything wins.
func Each(faults ...Fault) Fault {
	return func(p Passage) Action {
		for _, f := range faults {
			a := f(p)
			if a.Drop || a.Delay != 0 || a.Hold != nil || a.Twice || a.Reply != nil {
				return a
			}
		}
		return Action{}
	}
}

// Drop loses the datagram.
func Drop(Passage) Action { return Action{Drop: true} }

// Duplicate sends it twice.
func Duplicate(Passage) Action { return Action{Twice: true} }

// Delay sends it on after d.
func Delay(d time.Duration) Fault {
	return func(Passage) Action { return Action{Delay: d} }
}

// Hold keeps it until the channel is closed.
func Hold(until <-chan struct{}) Fault {
	return func(Passage) Action { return Action{Hold: until} }
}

// StaleNonce keeps a request from the server and answers it 438 with a nonce
// that the server never gave: the client has to sign anew, and then once more
// when the server itself calls that nonce stale.
func StaleNonce(p Passage) Action {
	var nonce [8]byte
	rand.Read(nonce[:])
	m := newMessage(p.Type|0x0110, p.ID).addError(438, "Stale Nonce")
	m.add(attrRealm, []byte(p.Realm)).add(attrNonce, []byte(hex.EncodeToString(nonce[:])))
	return Action{Drop: true, Reply: m.b}
}

// UnsignedMismatch keeps a request from the server and answers it 437 without
// MESSAGE-INTEGRITY, as anybody on the path could.
func UnsignedMismatch(p Passage) Action {
	m := newMessage(p.Type|0x0110, p.ID).addError(437, "Allocation Mismatch")
	return Action{Drop: true, Reply: m.b}
}
