package client

// Phase is what the client is doing, from the first datagram to the last.
type Phase uint8

const (
	// PhaseNew: no Allocate is under way. It is the first phase, and the one
	// that a failed Allocate and a lost allocation lead back to.
	PhaseNew Phase = iota
	// PhaseAllocating: an Allocate without credentials is in flight.
	PhaseAllocating
	// PhaseAuthenticated: the server has sent its challenge and the signed
	// Allocate is in flight. A release is owed from here on.
	PhaseAuthenticated
	// PhaseAllocated: the server holds an allocation of ours.
	PhaseAllocated
	// PhaseClosing: Close was called with a linger and the release is not
	// settled yet.
	PhaseClosing
	// PhaseClosed: the last phase. Nothing is emitted any more.
	PhaseClosed

	phaseCount
)

var phaseNames = [phaseCount]string{"new", "allocating", "authenticated", "allocated", "closing", "closed"}

func (p Phase) String() string {
	if p < phaseCount {
		return phaseNames[p]
	}
	return "unknown"
}
