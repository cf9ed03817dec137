package turntest

import "time"

// Flavour is whose habits a Server has where the RFC leaves room, and where
// real servers leave the RFC.
type Flavour uint8

const (
	// RFC does what RFC 8656 and RFC 8489 say, word by word.
	RFC Flavour = iota
	// Coturn deletes one to two seconds after it has answered the release and
	// says 437 until then, even to an Allocate without credentials; a Refresh in
	// that time revives the allocation; its nonces die with the allocation.
	Coturn
	// Pion signs few errors, says 400 to a wrong password, 401 without realm and
	// nonce to a channel that it refuses, and nothing at all to requests for an
	// allocation that it does not hold.
	Pion
	flavourCount
)

func (f Flavour) String() string { return [...]string{"rfc", "coturn", "pion"}[f] }

// habits are a flavour's choices, one field a choice.
type habits struct {
	// unsigned lists what is refused without MESSAGE-INTEGRITY although the
	// request's was right: a code, or a method and a code.
	unsigned map[int]bool
	// unsignedAllocate437 is the same for 437 to Allocate alone.
	unsignedAllocate437, unsignedRefresh437 bool

	// mismatchFirst answers 437 before it asks for credentials.
	mismatchFirst bool
	// nonceFirst checks the nonce before the credentials.
	nonceFirst bool
	// rejected is the code for unknown users and wrong passwords.
	rejected int
	// silentWithoutAllocation leaves requests without an allocation unanswered,
	// and those of another user.
	silentWithoutAllocation bool
	// permissionWithoutAllocation is the code to CreatePermission and
	// ChannelBind without an allocation.
	permissionWithoutAllocation int
	// deniedChannel is the code to ChannelBind to a denied peer.
	deniedChannel int
	// partialBatch installs the permissions before the one that is refused.
	partialBatch bool
	// noFamily is the code for a family that it does not have.
	noFamily int
	// oneFamily ignores ADDITIONAL-ADDRESS-FAMILY.
	oneFamily bool
	// unknownToken is the code to a RESERVATION-TOKEN that is not its own.
	unknownToken int
	// takesAskedLifetime grants less than the default when asked for less.
	takesAskedLifetime bool
	// refusesDontFragment answers 420.
	refusesDontFragment bool
	// forgetsNonces drops a 5-tuple's nonce with its allocation.
	forgetsNonces bool
	// deleteLate is how long the allocation outlives the answer to its release.
	deleteLate time.Duration
	// freesAtEnd: a stream's allocation goes with it.
	freesAtEnd bool
	// paddedReason fills the reason phrase with NULs inside the attribute.
	paddedReason, emptyReason bool
}

var flavourHabits = [flavourCount]habits{
	RFC: {
		rejected: 401, permissionWithoutAllocation: 437, deniedChannel: 403, noFamily: 440,
		unknownToken: 508,
	},
	Coturn: {
		unsigned:            map[int]bool{441: true},
		unsignedAllocate437: true, unsignedRefresh437: true,
		mismatchFirst: true, nonceFirst: true, rejected: 401, permissionWithoutAllocation: 400,
		deniedChannel: 403, noFamily: 440, unknownToken: 404, forgetsNonces: true,
		deleteLate: 1500 * time.Millisecond, paddedReason: true, freesAtEnd: true,
	},
	Pion: {
		unsigned: map[int]bool{
			400: true, 401: true, 420: true, 437: true, 440: true, 442: true,
			443: true, 486: true, 500: true, 508: true,
		},
		nonceFirst: true, rejected: 400, silentWithoutAllocation: true, deniedChannel: 401,
		partialBatch: true, noFamily: 508, unknownToken: 508, oneFamily: true, takesAskedLifetime: true, refusesDontFragment: true,
		emptyReason: true, freesAtEnd: true,
	},
}

// signs reports whether an error is signed, given that its request was.
func (s *Server) signs(method Method, code int) bool {
	h := s.habits
	switch {
	case code == 401 || code == 438:
		return false
	case code == 437 && method == MethodAllocate && h.unsignedAllocate437:
		return false
	case code == 437 && method == MethodRefresh && h.unsignedRefresh437:
		return s.cfg.SignRefresh437
	}
	return !h.unsigned[code]
}
