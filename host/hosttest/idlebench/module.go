package idlebench

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/turnwasm/turnwasm/wasm"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// maxMemory is the module's own maximum.
const maxMemory = 512 << 20

// Module is turn.wasm, compiled.
type Module struct {
	runtime     wazero.Runtime
	compiled    wazero.CompiledModule
	memoryLimit uint64
}

// Compile compiles the module. memoryLimit, in bytes, is as much as an instance
// gets; 0 is the module's own maximum.
func Compile(ctx context.Context, memoryLimit uint64) (*Module, error) {
	config := wazero.NewRuntimeConfig()
	if memoryLimit == 0 {
		memoryLimit = maxMemory
	}
	config = config.WithMemoryLimitPages(uint32(memoryLimit >> 16))
	m := &Module{memoryLimit: memoryLimit, runtime: wazero.NewRuntimeWithConfig(ctx, config)}
	_, err := wasi_snapshot_preview1.Instantiate(ctx, m.runtime)
	if err == nil {
		m.compiled, err = m.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), wasm.Module())
	}
	if err != nil {
		m.Close(ctx)
		return nil, fmt.Errorf("idlebench: %w", err)
	}
	return m, nil
}

// Close gives everything back.
func (m *Module) Close(ctx context.Context) error { return m.runtime.Close(ctx) }

// instance is one instance, and the clock on its calls.
type instance struct {
	module  api.Module
	exports map[string]api.Function
	stack   [4]uint64
	region  []byte
	header  abi.Header
	layout  abi.Layout
	calls   Calls
	dead    error // a trap: what runs on after it is nonsense
}

// Calls are the calls of the module's exports since they were last reset.
type Calls struct {
	Calls int
	// Total is the processor time of all of them.
	Total time.Duration
	// Longest is the longest by the wall clock, CPU the longest by the
	// processor time of the thread: what other processes take is not in it.
	// Where the system does not tell it is the wall clock's.
	Longest, CPU time.Duration
	// By is the export that took CPU.
	By string
	// ByExport is the longest CPU of each export.
	ByExport map[string]time.Duration
}

func (m *Module) instantiate(ctx context.Context) (*instance, error) {
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize").WithRandSource(rand.Reader)
	ctx = experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(reserve))
	module, err := m.runtime.InstantiateModule(ctx, m.compiled, config)
	if err != nil {
		return nil, fmt.Errorf("idlebench: %w", err)
	}
	in := &instance{module: module, exports: map[string]api.Function{}}
	in.resetCalls()
	for _, e := range abi.Exports {
		in.exports[e.Name] = module.ExportedFunction(e.Name)
	}
	at, err := in.i32("turn_memory")
	if err != nil {
		return nil, err
	}
	memory, _ := module.Memory().Read(uint32(at), module.Memory().Size()-uint32(at))
	if in.layout, err = abi.LoadLayout(memory); err != nil {
		return nil, err
	}
	in.region = memory[:in.layout.Size:in.layout.Size]
	in.header = abi.Header(in.region)
	return in, nil
}

// reserved is linear memory that never moves, as in package host: a move would
// be measured. What is not used of it is address space.
type reserved []byte

func reserve(_, maximum uint64) experimental.LinearMemory { return make(reserved, maximum) }

// Reallocate is LinearMemory's.
func (r reserved) Reallocate(size uint64) []byte {
	if size > uint64(len(r)) {
		return nil
	}
	return r[:size]
}

// Free is LinearMemory's.
func (r reserved) Free() {}

func (in *instance) resetCalls() { in.calls = Calls{ByExport: map[string]time.Duration{}} }

// memory is the size of linear memory, which never shrinks.
func (in *instance) memory() int { return int(in.module.Memory().Size()) }

// call calls an export and puts it on the clock. What it answers is on the
// stack.
func (in *instance) call(name string, args ...uint64) error {
	if in.dead != nil {
		return in.dead
	}
	copy(in.stack[:], args)
	runtime.LockOSThread()
	start, cpu := time.Now(), threadTime()
	err := in.exports[name].CallWithStack(context.Background(), in.stack[:])
	took, used := time.Since(start), threadTime()-cpu
	runtime.UnlockOSThread()
	if used <= 0 {
		used = took
	}
	c := &in.calls
	c.Calls++
	c.Total += used
	c.Longest = max(c.Longest, took)
	if used > c.CPU {
		c.CPU, c.By = used, name
	}
	c.ByExport[name] = max(c.ByExport[name], used)
	if err != nil {
		in.dead = fmt.Errorf("idlebench: %s: %w", name, err)
	}
	return in.dead
}

// i32 calls an export that answers an i32; a negative one is an error.
func (in *instance) i32(name string, args ...uint64) (int32, error) {
	if err := in.call(name, args...); err != nil {
		return 0, err
	}
	n := api.DecodeI32(in.stack[0])
	if n < 0 {
		return 0, fmt.Errorf("idlebench: %s: %w", name, abi.Code(n).Err())
	}
	return n, nil
}

// record puts a record where turn_open and turn_command look for it.
func (in *instance) record(rec []byte) uint64 {
	return api.EncodeI32(int32(copy(in.layout.ControlIn.Of(in.region), rec)))
}
