package host

import (
	"io"
	"log/slog"
	"runtime"
)

// Engine is what runs the machine.
type Engine uint8

const (
	// Wasm is the WebAssembly module under wazero: sandboxed, the default where
	// wazero has a compiler (amd64, arm64).
	Wasm Engine = 1
	// Native is the same code, compiled into the program.
	Native Engine = 2
)

func (e Engine) String() string {
	switch e {
	case Wasm:
		return "wasm"
	case Native:
		return "native"
	}
	return "unknown"
}

// Option changes what New makes.
type Option func(*options)

type options struct {
	engine      Engine
	log         *slog.Logger
	cacheDir    string
	noCache     bool
	rand        io.Reader
	instances   int
	perInstance int
	memoryLimit uint64
}

// WithEngine chooses the engine.
func WithEngine(e Engine) Option { return func(o *options) { o.engine = e } }

// WithLogger gives a logger; without it nothing is logged.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.log = l } }

// WithCacheDir keeps the compiled module in the folder; by default it is in
// the user's cache folder. Many processes may share it; a damaged file is
// replaced, and a folder that cannot be written costs the time of a compilation.
// It must be the user's own: what is in it is run.
func WithCacheDir(dir string) Option { return func(o *options) { o.noCache, o.cacheDir = false, dir } }

// WithoutCache compiles the module in every process.
func WithoutCache() Option { return func(o *options) { o.noCache, o.cacheDir = true, "" } }

// WithMemoryLimit bounds the linear memory of each of the module's instances,
// in bytes: 512 MiB by default. With less, fewer clients fit into one.
func WithMemoryLimit(bytes uint64) Option { return func(o *options) { o.memoryLimit = bytes } }

// WithRandSource replaces crypto/rand.Reader. Transaction IDs come from it:
// outside of tests it must be as good.
func WithRandSource(r io.Reader) Option { return func(o *options) { o.rand = r } }

// WithInstances spreads the clients over n instances of the engine, which work
// at the same time: by default one for each processor that Go uses. They are
// made as clients come; with 1, everything shares one. More are made when all
// are full.
func WithInstances(n int) Option { return func(o *options) { o.instances = n } }

// WithClientsPerInstance puts at most n clients into one instance of the
// engine: what traps takes no more than those with it. 0 is as many as fit.
func WithClientsPerInstance(n int) Option { return func(o *options) { o.perInstance = n } }

// mostInstances is how many are made before clients share one.
func (o *options) mostInstances() int {
	if o.instances > 0 {
		return o.instances
	}
	return runtime.GOMAXPROCS(0)
}
