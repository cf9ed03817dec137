package modbuild

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/turnwasm/turnwasm/wasm"
)

func TestCommittedModule(t *testing.T) {
	imports, err := Check(wasm.Module())
	if err != nil {
		t.Fatal(err)
	}
	if len(imports) != 10 {
		t.Errorf("it imports %d WASI functions, not ten: %q", len(imports), imports)
	}
}

func TestCheckNamesTheCulprit(t *testing.T) {
	for want, rename := range map[string]*strings.Replacer{
		"imports wasi_snapshot_preview1.path_o_get": strings.NewReplacer("random_get", "path_o_get"),
		"exports turn_f1ow(f64, i32, i32, i32) i32": strings.NewReplacer("turn_flow", "turn_f1ow"),
	} {
		_, err := Check([]byte(rename.Replace(string(wasm.Module()))))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

const source = `package syscall

// fd_read reads.
//
//go:wasmimport wasi_snapshot_preview1 fd_read
//go:noescape
func fd_read(fd int32, iovs *iovec, iovsLen size, nread *size) Errno

//go:wasmimport wasi_snapshot_preview1 fd_write
//go:noescape
func fd_write(fd int32, iovs *iovec, iovsLen size, nwritten *size) Errno

func other() Errno { return 0 }
`

func TestStubReplacesImportsOutsideTheList(t *testing.T) {
	got, err := stub("fs.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(got), "\n")
	if lines[6] != "func fd_read(fd int32, iovs *iovec, iovsLen size, nread *size) Errno { return 8 }" {
		t.Errorf("fd_read became %q", lines[6])
	}
	if strings.HasPrefix(lines[4], "//go:") || strings.HasPrefix(lines[5], "//go:") {
		t.Errorf("its directives are still there: %q", lines[4:6])
	}
	before := strings.Split(source, "\n")
	for i := 7; i < len(before); i++ {
		if lines[i] != before[i] {
			t.Errorf("line %d became %q", i+1, lines[i])
		}
	}
}

// smallest is a module of one memory of 3 pages, and a custom section behind it.
var smallest = []byte("\x00asm\x01\x00\x00\x00" + "\x05\x03\x01\x00\x03" + "\x00\x03\x01xy")

func TestLimitMemory(t *testing.T) {
	limited, err := limitMemory(smallest, 512<<20)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(limited, []byte("\x00\x03\x01xy")) {
		t.Fatalf("what is behind the section is damaged: % x", limited)
	}
	again, err := limitMemory(limited, 256<<20)
	if err != nil {
		t.Fatal(err)
	}
	for want, module := range map[uint32][]byte{8192: limited, 4096: again} {
		if minimum, maximum := memoryOf(t, module); minimum != 3 || maximum != want {
			t.Errorf("%d to %d pages, want 3 to %d", minimum, maximum, want)
		}
	}
}

// memoryOf asks a WebAssembly runtime what the module's memory is.
func memoryOf(t *testing.T, module []byte) (minimum, maximum uint32) {
	t.Helper()
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer rt.Close(ctx)
	// An export makes the memory visible; sections stand in the order of their
	// numbers, so it goes in front of the custom one.
	at := bytes.Index(module, []byte("\x00\x03\x01xy"))
	exported := append(append(bytes.Clone(module[:at]), "\x07\x05\x01\x01m\x02\x00"...), module[at:]...)
	m, err := rt.CompileModule(ctx, exported)
	if err != nil {
		t.Fatalf("% x: %v", exported, err)
	}
	maximum, _ = m.ExportedMemories()["m"].Max()
	return m.ExportedMemories()["m"].Min(), maximum
}

func TestLimitMemoryRefuses(t *testing.T) {
	for name, module := range map[string][]byte{
		"empty":             nil,
		"no memory":         []byte("\x00asm\x01\x00\x00\x00\x00\x03\x01xy"),
		"two memories":      []byte("\x00asm\x01\x00\x00\x00\x05\x05\x02\x00\x03\x00\x03"),
		"section cut":       smallest[:11],
		"size beyond":       []byte("\x00asm\x01\x00\x00\x00\x05\x7f\x01\x00\x03"),
		"minimum too large": []byte("\x00asm\x01\x00\x00\x00\x05\x04\x01\x00\x81\x40"),
	} {
		if _, err := limitMemory(module, 512<<20); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
