package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/tetratelabs/wazero"
	"github.com/turnwasm/turnwasm/wasm"
)

// moduleFacts are the module and what it is compared with: an empty reactor
// that links HMAC-SHA1, MD5 and SHA-256, built in this run by the same means.
type moduleFacts struct {
	module, floor []byte
	floorFile     string
}

// facts builds the floor, once.
func (b *bench) facts(ctx context.Context) (*moduleFacts, error) {
	if b.module != nil {
		return b.module, nil
	}
	file := filepath.Join(b.dir, "floor.wasm")
	build := exec.CommandContext(ctx, "go", "run", "github.com/turnwasm/turnwasm/wasm/internal/build", "-floor", file)
	if said, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the floor: %w: %s", err, bytes.TrimSpace(said))
	}
	floor, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	b.module = &moduleFacts{module: wasm.Module(), floor: floor, floorFile: file}
	return b.module, nil
}

func moduleSize(ctx context.Context, b *bench) ([]float64, error) {
	m, err := b.facts(ctx)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(b.out, "turn.wasm %d bytes, floor %d\n", len(m.module), len(m.floor))
	return []float64{float64(len(m.module)) / float64(len(m.floor))}, nil
}

func moduleGzip(ctx context.Context, b *bench) ([]float64, error) {
	m, err := b.facts(ctx)
	if err != nil {
		return nil, err
	}
	ours, floor := gzipped(m.module), gzipped(m.floor)
	fmt.Fprintf(b.out, "turn.wasm %d bytes compressed, floor %d\n", ours, floor)
	return []float64{float64(ours) / float64(floor)}, nil
}

// gzipped is the size that gzip -9 makes of it.
func gzipped(module []byte) int {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(module)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // memory does not fail
	}
	return out.Len()
}

// moduleImports counts the functions that the module imports.
func moduleImports(ctx context.Context, _ *bench) ([]float64, error) {
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer rt.Close(ctx)
	m, err := rt.CompileModule(ctx, wasm.Module())
	if err != nil {
		return nil, err
	}
	distinct := make(map[string]bool) // Go imports some more than once
	for _, f := range m.ImportedFunctions() {
		from, name, _ := f.Import()
		distinct[from+"."+name] = true
	}
	return []float64{float64(len(distinct))}, nil
}
