package host

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/turnwasm/turnwasm/wasm"
)

// engine is one instance of the machine behind the ABI: the module under
// wazero or the native code. Its methods are the exports of wasm/abi's package
// comment, without their "turn_", over the same region.
//
// An error says that the instance is dead (a trap, memory exhausted, a broken
// answer): the engine is poisoned then and answers the same error to every
// later call, without entering the instance again. What the machine has to
// say is never an error but the i32: negative ones are an abi.Code.
//
// An engine is not safe for concurrent use: one lock or one goroutine each.
type engine interface {
	// region is the shared memory, abi.LoadLayout reads it. It never moves and
	// stays readable until shut, so it is taken once.
	region() []byte

	open(now float64, n int32) (handle int32, err error)
	command(now float64, h, n int32) (int32, error)
	flow(now float64, h, flow, what int32) (int32, error)
	peer(h, n int32) (int32, error)
	input(now float64, n int32) (outs int32, err error)
	send(now float64, n int32) (outs int32, err error)
	poll() (outs int32, err error)
	// tick answers the next deadline in ms, +Inf for none.
	tick(now float64) (next float64, err error)
	close(now float64, h int32, linger float64) (int32, error)
	state(h int32) (n int32, err error)
	stats(h int32) (n int32, err error)
	parting(now float64, h int32) (outs int32, err error)
	free(h int32) (int32, error)
	snapshot(now float64, h, offset, size int32) (n int32, err error)
	restore(now, elapsed float64, offset, n int32) (handle int32, err error)

	// memory is the size of the linear memory in bytes; of the native engine
	// it is the region alone.
	memory() uint64
	// shut gives the memory back. The region must not be touched after it.
	shut(ctx context.Context) error
}

// engineFactory makes engines. The wazero one has compiled the module.
type engineFactory interface {
	instantiate(ctx context.Context) (engine, error)
	// shut releases what the factory holds, and every engine it made.
	shut(ctx context.Context) error
}

// newEngines makes the factory that the options ask for. Without a choice it is
// the module where wazero has a compiler, and the native code elsewhere: its
// interpreter is many times slower.
func newEngines(ctx context.Context, o *options) (engineFactory, error) {
	if o.engine == 0 {
		o.engine = Native
		if runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64" {
			o.engine = Wasm
		}
	}
	random := o.rand
	if random == nil {
		random = rand.Reader
	}
	switch o.engine {
	case Native:
		return nativeEngines{random}, nil
	case Wasm:
		dir := o.cacheDir
		if dir == "" && !o.noCache {
			dir = defaultCacheDir()
		}
		return newWazeroEngines(ctx, wazeroOptions{
			module: wasm.Module(), cacheDir: dir, rand: random, memoryLimit: uint64(o.memoryLimit),
		})
	}
	return nil, fmt.Errorf("turn: there is no engine %d", o.engine)
}

// defaultCacheDir is in the user's cache folder; "", which is no cache, when
// that cannot be had: a service may have no home.
func defaultCacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir = filepath.Join(dir, "turnwasm")
	if os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	return dir
}
