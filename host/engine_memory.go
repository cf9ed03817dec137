//go:build linux || darwin

package host

import (
	"context"

	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// memoryStays says that linear memory keeps its address while it grows. A read
// of a socket may be blocked on the arena meanwhile: had the memory moved, what
// it reads would be lost in silence.
const memoryStays = true

func withMemory(ctx context.Context) context.Context {
	return experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(reserve))
}

// reserve takes address space for the maximum. Memory is used as far as the
// module has grown.
func reserve(_, maximum uint64) experimental.LinearMemory {
	space, err := unix.Mmap(-1, 0, int(maximum), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return &reservation{}
	}
	return &reservation{space: space}
}

type reservation struct {
	space []byte
	size  uint64
}

// Reallocate makes the first size bytes usable; nil says that it cannot.
func (r *reservation) Reallocate(size uint64) []byte {
	if size > uint64(len(r.space)) {
		return nil
	}
	if size > r.size {
		page := uint64(unix.Getpagesize())
		usable := min((size+page-1)/page*page, uint64(len(r.space)))
		if unix.Mprotect(r.space[:usable], unix.PROT_READ|unix.PROT_WRITE) != nil {
			return nil
		}
		r.size = size
	}
	return r.space[:size]
}

// Free gives the address space back.
func (r *reservation) Free() {
	if r.space != nil {
		// An error would say that it is not mapped, which is what is wanted.
		_ = unix.Munmap(r.space)
		r.space, r.size = nil, 0
	}
}
