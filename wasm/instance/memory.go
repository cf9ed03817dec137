package instance

// An allocation that fails in a WebAssembly instance is a trap, which no one
// recovers: so what takes memory is refused well before the limit.

// checkEach is after how many bytes of growth the memory is looked at again.
// Looking takes as long as a few hundred packets.
const checkEach = 1 << 20

// clientPeak is what a client comes to when everything happens to all of them at
// once: with its requests in flight, and with what the collector leaves lying
// meanwhile. Package host/hosttest/idlebench measures it.
const clientPeak = 2560

// memoryStep is what the runtime takes memory in, at least: with a low limit
// the last step is a good part of it.
const memoryStep = 1 << 20

// memory watches over an instance's memory.
type memory struct {
	used  func() uint64 // nil: it is not watched
	base  uint64        // in use without a client, or as good as
	grown uint64        // since it was looked at last
	tight bool
}

func newMemory(used func() uint64) memory {
	m := memory{used: used}
	if used != nil {
		m.base = used() + memoryStep
	}
	return m
}

// room says whether so many clients fit at their peak. What they have in use may
// be little as yet.
func (m *memory) room(clients int, limit uint32) bool {
	return m.used == nil || limit == 0 || m.base+uint64(clients)*clientPeak <= uint64(limit)
}

// grow says that about so many bytes were taken.
func (m *memory) grow(n int) { m.grown += uint64(n) }

// short says whether three quarters of the limit are in use. While they are it
// looks each time, so that it is short no longer than it must be.
func (m *memory) short(limit uint32) bool {
	if m.used == nil || limit == 0 {
		return false
	}
	if m.tight || m.grown >= checkEach {
		m.grown = 0
		m.tight = m.used() > uint64(limit)/4*3
	}
	return m.tight
}
