// Command build builds the WebAssembly module.
//
//	go run ./wasm/internal/build            writes wasm/turn.wasm
//	go run ./wasm/internal/build -verify    rebuilds it elsewhere and compares
//	go run ./wasm/internal/build -tags turntrap -o FILE    a test's module
//	go run ./wasm/internal/build -floor FILE    the floor that the module's size is compared with
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/turnwasm/turnwasm/wasm/internal/modbuild"
)

func main() {
	verify := flag.Bool("verify", false, "rebuild in another folder, compare, check imports and exports")
	tags := flag.String("tags", "", "build tags, for test modules")
	out := flag.String("o", "", "output file (default wasm/turn.wasm in the module)")
	floor := flag.String("floor", "", "build the floor into this file: an empty reactor that links the hash functions")
	flag.Parse()
	if err := run(*verify, *tags, *out, *floor); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(verify bool, tags, out, floor string) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	if floor != "" {
		return buildFloor(root, floor)
	}
	if out == "" {
		out = filepath.Join(root, "wasm", "turn.wasm")
	}
	if verify {
		return check(root, out)
	}
	module, err := modbuild.Build(modbuild.Options{Root: root, Tags: tags})
	if err != nil {
		return err
	}
	if tags != "" {
		return write(out, module)
	}
	imports, err := modbuild.Check(module)
	if err != nil {
		return err
	}
	if err := write(out, module); err != nil {
		return err
	}
	return report(out, module, imports)
}

func buildFloor(root, out string) error {
	module, err := modbuild.Build(modbuild.Options{Root: root, Floor: true})
	if err != nil {
		return err
	}
	return write(out, module)
}

// write replaces the file in one step: others may be reading it.
func write(out string, module []byte) error {
	if err := os.WriteFile(out+".new", module, 0o644); err != nil {
		return err
	}
	return os.Rename(out+".new", out)
}

func check(root, file string) error {
	module, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	imports, err := modbuild.Check(module)
	if err != nil {
		return err
	}
	if err := modbuild.Verify(root, module); err != nil {
		return err
	}
	return report(file, module, imports)
}

func report(file string, module []byte, imports []string) error {
	_, err := fmt.Printf("%s: %d bytes, sha256 %x, %d WASI imports\n",
		filepath.Base(file), len(module), sha256.Sum256(module), len(imports))
	return err
}

func moduleRoot() (string, error) {
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", err
	}
	return filepath.Dir(strings.TrimSpace(string(mod))), nil
}
