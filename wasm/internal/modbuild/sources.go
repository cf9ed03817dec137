package modbuild

import (
	"os"
	"path/filepath"
	"strings"
)

// copySources copies what the module is built from.
func copySources(root, to string) error {
	files := []string{"go.mod", "go.sum"}
	for _, dir := range []string{"client", "wasm/abi", "wasm/instance", "wasm/guest", "wasm/internal/floor"} {
		found, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			return err
		}
		for _, f := range found {
			if !strings.HasSuffix(f, "_test.go") {
				files = append(files, dir+"/"+filepath.Base(f))
			}
		}
	}
	for _, f := range files {
		target := filepath.Join(to, filepath.FromSlash(f))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := copyFile(filepath.Join(root, filepath.FromSlash(f)), target); err != nil {
			return err
		}
	}
	return nil
}
