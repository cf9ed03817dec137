package modbuild

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const stunPath = "github.com/pion/stun/v3"

// slimSTUN copies the module pion/stun without the file client.go and points the
// copied go.mod at it. The project's own go.mod has no replace, so that others
// can install from it. The folder's name stands in the module's build info:
// hence a relative one.
func (b *builder) slimSTUN() error {
	if _, err := b.run("mod", "download", stunPath); err != nil {
		return err
	}
	dir, err := b.run("list", "-m", "-f", "{{.Dir}}", stunPath)
	if err != nil {
		return err
	}
	if err := copyModule(dir, filepath.Join(b.root, "stun")); err != nil {
		return err
	}
	_, err = b.run("mod", "edit", "-replace="+stunPath+"=./stun")
	return err
}

// copyModule copies the Go files of a module, without tests, commands and the
// dialling client.
func copyModule(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		name := d.Name()
		switch {
		case d.IsDir() && (name == "cmd" || name == "e2e" || name == "testdata"):
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		case rel == "client.go", strings.HasSuffix(name, "_test.go"):
			return nil
		case strings.HasSuffix(name, ".go"), rel == "go.mod":
			return copyFile(path, filepath.Join(to, rel))
		}
		return nil
	})
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}
