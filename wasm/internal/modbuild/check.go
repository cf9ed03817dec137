package modbuild

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Check reads what a module imports and exports and compares it with the lists:
// nothing that reaches a file or a socket, every export with its signature and
// no other, a maximum of memory. It answers the names of the WASI functions
// that the module imports.
func Check(module []byte) (imports []string, err error) {
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer rt.Close(ctx)
	m, err := rt.CompileModule(ctx, module)
	if err != nil {
		return nil, err
	}
	for _, f := range m.ImportedFunctions() {
		from, name, _ := f.Import()
		if from != wasiModule || !slices.Contains(Imports, name) {
			return nil, fmt.Errorf("the module imports %s.%s, which is not on the list", from, name)
		}
		if !slices.Contains(imports, name) { // Go imports some more than once
			imports = append(imports, name)
		}
	}
	for _, mem := range m.ExportedMemories() {
		if pages, ok := mem.Max(); !ok || pages != MemoryMax/wasmPage {
			return nil, fmt.Errorf("the module's memory has the maximum %d pages (%v)", pages, ok)
		}
	}
	return imports, checkExports(m.ExportedFunctions())
}

func checkExports(have map[string]api.FunctionDefinition) error {
	want := map[string]string{"_initialize": "()"}
	for _, e := range abi.Exports {
		want[e.Name] = abi.Signature(e.Params, e.Results)
	}
	for name, f := range have {
		got := abi.Signature(types(f.ParamTypes()), types(f.ResultTypes()))
		if want[name] != got {
			return fmt.Errorf("the module exports %s%s; want %q", name, got, want[name])
		}
		delete(want, name)
	}
	for name := range want {
		return fmt.Errorf("the module does not export %s", name)
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

// Verify builds the module anew, in another folder, and compares.
func Verify(root string, module []byte) error {
	again, err := Build(Options{Root: root})
	if err != nil {
		return err
	}
	if !bytes.Equal(module, again) {
		return fmt.Errorf("the committed module (%d bytes) is not what its sources give (%d bytes): run make wasm", len(module), len(again))
	}
	return nil
}
