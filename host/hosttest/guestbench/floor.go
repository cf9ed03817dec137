package guestbench

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// Floor builds the module that turn.wasm is compared with: an empty reactor that
// links HMAC-SHA1, MD5 and SHA-256, made as turn.wasm is.
func Floor(ctx context.Context) ([]byte, error) {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "turnwasm-floor-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "floor.wasm")
	cmd := exec.CommandContext(ctx, "go", "run", "./wasm/internal/build", "-floor", out)
	cmd.Dir = filepath.Dir(strings.TrimSpace(string(mod)))
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the floor: %w\n%s", err, text)
	}
	return os.ReadFile(out)
}

// Size is that of a module, as it is and under gzip -9.
type Size struct{ Bytes, Gzip int }

// SizeOf measures a module.
func SizeOf(module []byte) Size {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level exists
	_, _ = w.Write(module)                                // to memory
	_ = w.Close()
	return Size{len(module), b.Len()}
}

// Start is what compiling and instantiating a module takes, with nothing in any
// cache.
type Start struct{ CPU, Wall time.Duration }

// Cold takes so many rounds of both modules in turn and answers the medians.
func Cold(ctx context.Context, module, floor []byte, rounds int) (ours, least Start, err error) {
	var samples [2][]Start
	for range rounds {
		for i, m := range [][]byte{module, floor} {
			s, err := start(ctx, m)
			if err != nil {
				return Start{}, Start{}, err
			}
			samples[i] = append(samples[i], s)
		}
	}
	return middle(samples[0]), middle(samples[1]), nil
}

func start(ctx context.Context, module []byte) (Start, error) {
	wall, cpu := time.Now(), processTime()
	rt := wazero.NewRuntime(ctx)
	defer rt.Close(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, rt); err != nil {
		return Start{}, err
	}
	compiled, err := rt.CompileModule(experimental.WithCompilationWorkers(ctx, 2), module)
	if err != nil {
		return Start{}, err
	}
	config := wazero.NewModuleConfig().WithStartFunctions("_initialize").WithRandSource(rand.Reader)
	if _, err := rt.InstantiateModule(ctx, compiled, config); err != nil {
		return Start{}, err
	}
	return Start{CPU: processTime() - cpu, Wall: time.Since(wall)}, nil
}

func middle(samples []Start) (m Start) {
	if len(samples) == 0 {
		return m
	}
	for _, of := range []struct {
		get func(Start) time.Duration
		put *time.Duration
	}{
		{func(s Start) time.Duration { return s.CPU }, &m.CPU},
		{func(s Start) time.Duration { return s.Wall }, &m.Wall},
	} {
		var ds []time.Duration
		for _, s := range samples {
			ds = append(ds, of.get(s))
		}
		slices.Sort(ds)
		*of.put = ds[len(ds)/2]
	}
	return m
}
