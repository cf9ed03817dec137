package modbuild

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// Imports are the WASI functions that the module may import: Go's runtime needs
// them, and none reaches further than the host's clock, its random source and
// its standard error.
var Imports = []string{
	"args_get", "args_sizes_get", "clock_time_get", "environ_get",
	"environ_sizes_get", "fd_write", "poll_oneoff", "proc_exit", "random_get",
	"sched_yield",
}

const wasiModule = "wasi_snapshot_preview1"

// ebadf is what a stub answers: "bad file descriptor". Go's start-up looks for
// preopened folders until it gets just this from fd_prestat_get.
const ebadf = 8

// stubFiles writes an overlay over GOROOT in which every other WASI function is
// a Go function that answers EBADF.
func (b *builder) stubFiles() (overlay string, err error) {
	goroot, err := b.run("env", "GOROOT")
	if err != nil {
		return "", err
	}
	var o struct{ Replace map[string]string }
	o.Replace = map[string]string{}
	for _, pattern := range []string{"syscall/*_wasip1.go", "internal/syscall/unix/*_wasip1.go"} {
		files, err := filepath.Glob(filepath.Join(goroot, "src", pattern))
		if err != nil {
			return "", err
		}
		for _, file := range files {
			if err := b.stubFile(file, o.Replace); err != nil {
				return "", err
			}
		}
	}
	text, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	path := filepath.Join(b.tmp, "overlay.json")
	return path, os.WriteFile(path, text, 0o644)
}

func (b *builder) stubFile(file string, replace map[string]string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	stubbed, err := stub(file, text)
	if err != nil || bytes.Equal(stubbed, text) {
		return err
	}
	to := filepath.Join(b.tmp, fmt.Sprintf("stub%d.go", len(replace)))
	replace[file] = to
	return os.WriteFile(to, stubbed, 0o644)
}

// stub gives a body to every function of the source that is a WASI import
// outside the list. It keeps the lines, so that positions stay.
func stub(name string, source []byte) ([]byte, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	text := bytes.Clone(source)
	for i := len(f.Decls) - 1; i >= 0; i-- {
		fn, ok := f.Decls[i].(*ast.FuncDecl)
		if !ok || fn.Body != nil || !foreign(fn) {
			continue
		}
		end := fset.Position(fn.End()).Offset
		body := fmt.Appendf(nil, " { return %d }", ebadf)
		text = append(text[:end:end], append(body, text[end:]...)...)
		for _, c := range fn.Doc.List {
			if strings.HasPrefix(c.Text, "//go:wasmimport") || strings.HasPrefix(c.Text, "//go:noescape") {
				copy(text[fset.Position(c.Pos()).Offset:], "// ")
			}
		}
	}
	return text, nil
}

// foreign says whether a function is a WASI import that the module must not
// have.
func foreign(fn *ast.FuncDecl) bool {
	if fn.Doc == nil {
		return false
	}
	for _, c := range fn.Doc.List {
		rest, ok := strings.CutPrefix(c.Text, "//go:wasmimport "+wasiModule+" ")
		if !ok {
			continue
		}
		for _, allowed := range Imports {
			if strings.TrimSpace(rest) == allowed {
				return false
			}
		}
		return true
	}
	return false
}
