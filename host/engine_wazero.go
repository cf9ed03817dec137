package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/turnwasm/turnwasm/wasm/abi"
)

type wazeroOptions struct {
	module      []byte
	cacheDir    string // "" = no cache
	rand        io.Reader
	memoryLimit uint64 // bytes; 0 = the module's own maximum
}

// wazeroEngines makes instances of the module, which it has compiled.
type wazeroEngines struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
	cache   wazero.CompilationCache // nil = none
	options wazeroOptions
}

// newWazeroEngines compiles the module, or takes it from the cache.
func newWazeroEngines(ctx context.Context, o wazeroOptions) (*wazeroEngines, error) {
	f, err := loadWazero(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := checkExports(f.module.ExportedFunctions()); err != nil {
		return nil, errors.Join(err, f.shut(ctx))
	}
	return f, nil
}

// loadWazero starts wazero with the module. A cache that is of no use costs the
// time of a compilation and is no error.
func loadWazero(ctx context.Context, o wazeroOptions) (*wazeroEngines, error) {
	folder := openCacheFolder(o.cacheDir, o.module)
	if folder == nil {
		return startWazero(ctx, o, nil)
	}
	f, err := startWazero(ctx, o, folder)
	if err != nil && ctx.Err() == nil {
		return startWazero(ctx, o, nil)
	}
	if err == nil {
		folder.seal()
	}
	return f, err
}

func startWazero(ctx context.Context, o wazeroOptions, folder *cacheFolder) (*wazeroEngines, error) {
	config := wazero.NewRuntimeConfig().WithMemoryCapacityFromMax(!memoryStays)
	f := &wazeroEngines{options: o}
	if folder != nil {
		cache, err := wazero.NewCompilationCacheWithDir(folder.dir)
		if err != nil {
			return nil, fmt.Errorf("turn: compile cache: %w", err)
		}
		f.cache = cache
		config = config.WithCompilationCache(cache)
	}
	if o.memoryLimit > 0 {
		config = config.WithMemoryLimitPages(uint32(min(o.memoryLimit/wasmPage, 1<<16)))
	}
	f.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	if err := f.compile(ctx); err != nil {
		return nil, errors.Join(err, f.shut(ctx))
	}
	return f, nil
}

const wasmPage = 64 << 10

func (f *wazeroEngines) compile(ctx context.Context) (err error) {
	ctx = experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0))
	if _, err = wasi_snapshot_preview1.Instantiate(ctx, f.runtime); err != nil {
		return fmt.Errorf("turn: WASI: %w", err)
	}
	f.module, err = f.runtime.CompileModule(ctx, f.options.module)
	if err != nil && f.cache != nil && ctx.Err() == nil {
		// It may have failed to write to the cache. Then the code is in memory,
		// where a second call finds it.
		f.module, err = f.runtime.CompileModule(ctx, f.options.module)
	}
	if err != nil {
		return fmt.Errorf("turn: compiling the module: %w", err)
	}
	return nil
}

// checkExports compares the module's exports with the ABI's. A module of
// another make is refused here: called with the wrong arguments it would
// answer nonsense.
func checkExports(have map[string]api.FunctionDefinition) error {
	for _, want := range abi.Exports {
		f, ok := have[want.Name]
		if !ok {
			return fmt.Errorf("turn: the module has no export %v", want)
		}
		got := abi.Export{Name: want.Name, Params: types(f.ParamTypes()), Results: types(f.ResultTypes())}
		if got.String() != want.String() {
			return fmt.Errorf("turn: the module's export is %v, want %v", got, want)
		}
	}
	return nil
}

func types(of []api.ValueType) []abi.ValueType {
	names := make([]abi.ValueType, len(of))
	for i, t := range of {
		names[i] = abi.ValueType(api.ValueTypeName(t))
	}
	return names
}

// instantiate makes an instance. It gets a random source, a standard error of
// which the tail is kept, and nothing else: no files, arguments, environment,
// not even the time.
func (f *wazeroEngines) instantiate(ctx context.Context) (engine, error) {
	e := &wazeroEngine{ctx: context.Background(), export: "_initialize"}
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize").
		WithStderr(&e.stderr).WithRandSource(f.options.rand)
	var err error
	e.module, err = f.runtime.InstantiateModule(withMemory(ctx), f.module, config)
	if err != nil {
		return nil, e.died(err)
	}
	if err := e.bind(); err != nil {
		e.module.Close(ctx)
		return nil, err
	}
	if limit := f.options.memoryLimit; limit > 0 {
		header := abi.Header(e.shared)
		header.SetMemoryLimit(uint32(min(limit, uint64(header.MemoryLimit()))))
	}
	return e, nil
}

func (f *wazeroEngines) shut(ctx context.Context) error {
	err := f.runtime.Close(ctx)
	if f.cache != nil {
		if e := f.cache.Close(ctx); err == nil {
			err = e
		}
	}
	return err
}
