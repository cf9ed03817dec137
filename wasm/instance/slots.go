package instance

import (
	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// A handle is slot and generation in a positive i32. Slots are used again
// oldest first, so a stale handle is known for one as long as possible: until
// its slot has been used 8191 times more.
const (
	slotBits   = 18
	slotMask   = 1<<slotBits - 1
	generation = 1<<(31-slotBits) - 1 // the last one; 0 is none, so no handle is 0

	// MaxClients is how many an instance can hold.
	MaxClients = 1 << slotBits

	noSlot int32 = -1

	// chunkSize is how many clients the slab grows by. A chunk never moves, so
	// growing copies no client and no key. A smaller one would leave more of the
	// collector's pages, of 8 KiB, unused at its end.
	chunkSize = 256
)

// entry is one slot.
type entry struct {
	client client.Client
	peers  *peerTable // nil until turn_peer
	grave  *grave     // set when the client has panicked
	route  route
	next   [marks]int32
	wakeAt int32 // its place in the heap, plus 1
	gen    uint16
	marked [marks]bool
	alive  bool
	routed bool // route is known
}

// route is where the client's last datagram went.
type route struct {
	to   abi.Endpoint
	flow uint32
}

// slots are the clients, by value, in chunks.
type slots struct {
	chunks []*[chunkSize]entry
	free   list
	used   int32 // slots that were ever used
	alive  int
}

func newSlots() slots { return slots{free: newList(markFree)} }

func (s *slots) at(slot int32) *entry {
	return &s.chunks[uint32(slot)/chunkSize][uint32(slot)%chunkSize]
}

// take gives a slot; false when there is no room.
func (s *slots) take(most int) (slot int32, ok bool) {
	if s.alive >= min(most, MaxClients) {
		return noSlot, false
	}
	slot = s.free.pop(s)
	if slot == noSlot {
		slot = s.grow()
	}
	e := s.at(slot)
	e.gen = e.gen%generation + 1
	e.alive = true
	s.alive++
	return slot, true
}

func (s *slots) grow() int32 {
	if int(s.used) == len(s.chunks)*chunkSize {
		s.chunks = append(s.chunks, new([chunkSize]entry))
	}
	s.used++
	return s.used - 1
}

// give takes the slot back and wipes it.
func (s *slots) give(slot int32) {
	e := s.at(slot)
	*e = entry{gen: e.gen}
	s.alive--
	s.free.push(s, slot)
}

// handle of the client in the slot.
func (s *slots) handle(slot int32) int32 {
	return int32(s.at(slot).gen)<<slotBits | slot
}

// lookup answers the slot behind a handle, or noSlot.
func (s *slots) lookup(h int32) (int32, *entry) {
	slot := h & slotMask
	if h <= 0 || slot >= s.used {
		return noSlot, nil
	}
	e := s.at(slot)
	if !e.alive || int32(e.gen) != h>>slotBits {
		return noSlot, nil
	}
	return slot, e
}
