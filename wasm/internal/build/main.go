// Command build builds the WebAssembly module.
//
//	go run ./wasm/internal/build            writes wasm/turn.wasm
//	go run ./wasm/internal/build -verify    rebuilds it elsewhere and compares
//	go run ./wasm/internal/build -tags turntrap -o FILE    a test's module
//	go run ./wasm/internal/build -floor -o FILE            what the size is compared with
package main

import (
	"crypto/sha256"
	"errors"
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
	floor := flag.Bool("floor", false, "build the module that the size is compared with")
	flag.Parse()
	if err := run(*verify, *floor, *tags, *out); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(verify, floor bool, tags, out string) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	if floor && out == "" {
		return errors.New("-floor wants -o")
	}
	if out == "" {
		out = filepath.Join(root, "wasm", "turn.wasm")
	}
	if verify {
		return check(root, out)
	}
	module, err := modbuild.Build(modbuild.Options{Root: root, Tags: tags, Floor: floor})
	if err != nil {
		return err
	}
	if tags != "" || floor {
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
