package instance

// An allocation that fails in a WebAssembly instance is a trap, which no one
// recovers: so what takes memory is refused well before the limit.

// checkEach is after how many bytes of growth the memory is looked at again.
// Looking takes as long as a few hundred packets.
const checkEach = 1 << 20

// memory watches over an instance's memory.
type memory struct {
	used  func() uint64 // nil: it is not watched
	grown uint64        // since it was looked at last
	tight bool
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
