//go:build wasip1

// Command guest is the WebAssembly module: the exports that package abi
// describes, over package instance, and nothing else. It is a WASI reactor: the
// host calls _initialize once, then the exports.
//
// It starts no goroutine and takes no lock: a panic there could not be
// recovered.
package main

import (
	"runtime"
	"runtime/debug"
	"unsafe"

	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/instance"
)

// memory holds the shared region. A package-level array has an address that
// never changes; it begins at the first page in it.
var memory [regionSize + abi.Page]byte

// regionSize is DefaultLayout's size; init checks it.
const regionSize = abi.Page + 16<<10 + 128<<10 + 1024*abi.DescSize + 2048*abi.DescSize + 2<<20

var (
	region []byte
	turn   *instance.Instance
)

func init() {
	// Once it gets its turns (see yield), the collector keeps the heap near to
	// what is alive. From 25 to 15 it takes a tenth more time, and no longer
	// turns; below it saves nothing, as what is made during its work stays.
	debug.SetGCPercent(15)
	layout := abi.DefaultLayout()
	if layout.Size != regionSize {
		panic("the region's size is not the layout's")
	}
	at := -uintptr(unsafe.Pointer(&memory)) % abi.Page
	region = memory[at : at+regionSize : at+regionSize]
	turn = instance.New(region, layout, instance.Options{
		Rand: entropy{}, Memory: memoryInUse, MemoryLimit: memoryMax,
	})
}

func main() {}

// yield ends a call of the control plane: a reactor gives the collector no
// other time, and without it the heap grows to tens of times what is alive.
func yield() {
	if turn.Yields() {
		runtime.Gosched()
	}
}
