// Package wasm holds the WebAssembly module.
package wasm

import _ "embed"

//go:embed turn.wasm
var module []byte

// Module is turn.wasm, built from wasm/guest by wasm/internal/build and
// committed. The slice is shared: it must not be changed.
func Module() []byte { return module }
