//go:build wasip1

package main

import (
	"errors"
	"runtime"
	"unsafe"
)

// memoryMax is the maximum in the module's memory section, which the build
// writes.
const memoryMax = 512 << 20

// memoryInUse is what the program lies in, and what the runtime has taken beside
// it and not kept back for itself.
func memoryInUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return programEnd + m.Sys - m.HeapIdle
}

// programEnd is about where the program's own data end and the runtime's memory
// begins: region is the last and largest of it.
var programEnd = uint64(uintptr(unsafe.Pointer(&memory))) + uint64(len(memory))

// entropy is the host's random source. Unlike crypto/rand it answers an error
// when that fails, instead of a trap.
type entropy struct{}

var errEntropy = errors.New("turn: random_get failed")

//go:wasmimport wasi_snapshot_preview1 random_get
//go:noescape
func randomGet(buf *byte, n uint32) uint32

func (entropy) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if randomGet(&p[0], uint32(len(p))) != 0 {
		return 0, errEntropy
	}
	return len(p), nil
}
