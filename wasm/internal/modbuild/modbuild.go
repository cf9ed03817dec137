// Package modbuild builds the WebAssembly module, the same bytes in any folder.
//
// Three things set it apart from a plain go build. pion/stun is taken without
// its dialling client, which would bring crypto/tls and x509 into the module.
// The file and socket calls of Go's syscall package are stubbed, so that the
// module does not even import what could reach a file. And the memory section
// gets the maximum that Go does not write.
package modbuild

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Options of a build.
type Options struct {
	Root string // the folder of go.mod
	Tags string // build tags, for test modules
	// Floor builds the module that turn.wasm's size is compared with.
	Floor bool
	// Symbols keeps the names of functions, to look at what takes the room.
	Symbols bool
}

// Build answers the module's bytes. It builds in a copy of the sources in a
// temporary folder, of which no trace remains in the module.
func Build(o Options) ([]byte, error) {
	tmp, err := os.MkdirTemp("", "turnwasm-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	b := builder{root: filepath.Join(tmp, "module"), tmp: tmp}
	if err := copySources(o.Root, b.root); err != nil {
		return nil, err
	}
	if err := b.pinToolchain(); err != nil {
		return nil, err
	}
	if err := b.slim(); err != nil {
		return nil, fmt.Errorf("modules without what is not called: %w", err)
	}
	overlay, err := b.stubFiles()
	if err != nil {
		return nil, fmt.Errorf("stubs of the file calls: %w", err)
	}
	out := filepath.Join(tmp, "turn.wasm")
	_, err = b.run("build", "-overlay="+overlay, "-mod=mod",
		"-trimpath", "-buildvcs=false", "-ldflags="+o.ldflags(),
		"-tags="+o.Tags, "-buildmode=c-shared", "-o", out, o.program())
	if err != nil {
		return nil, err
	}
	module, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	return limitMemory(module, MemoryMax)
}

func (o Options) program() string {
	if o.Floor {
		return "./wasm/internal/floor"
	}
	return "./wasm/guest"
}

func (o Options) ldflags() string {
	if o.Symbols {
		return "-buildid="
	}
	return "-s -w -buildid="
}

type builder struct {
	root, tmp string
	toolchain string
}

// pinToolchain takes the toolchain that go.mod names: another one writes other
// bytes.
func (b *builder) pinToolchain() error {
	mod, err := os.ReadFile(filepath.Join(b.root, "go.mod"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(mod)) {
		if name, ok := strings.CutPrefix(line, "toolchain "); ok {
			b.toolchain = strings.TrimSpace(name)
			return nil
		}
	}
	return errors.New("go.mod names no toolchain")
}

// run runs the go command in the root, with nothing of the caller's settings
// that could change the bytes.
func (b *builder) run(args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = b.root
	cmd.Env = append(os.Environ(),
		"GOOS=wasip1", "GOARCH=wasm", "GOWASM=", "GOFLAGS=", "GOEXPERIMENT=",
		"GOWORK=off", "CGO_ENABLED=0", "GOTOOLCHAIN="+b.toolchain)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, &stderr)
	}
	return strings.TrimSpace(stdout.String()), nil
}
