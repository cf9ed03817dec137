package modbuild

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// slimmed are the modules that are built without some of their files: what no
// line of the machine calls, and yet brings packages whose initialisation the
// linker must keep.
var slimmed = []struct {
	module  string
	without []string
}{
	// The dialling client brings crypto/tls, its agent timers, URIs net/url,
	// and the addresses net.
	{"github.com/pion/stun/v3", []string{"client.go", "agent.go", "uri.go", "addr.go", "xoraddr.go", "uattrs.go"}},
	// The machine has no logger; stun names the interface.
	{"github.com/pion/logging", []string{"logger.go"}},
}

// slim copies those modules without these files and points the copied go.mod at
// them. The project's own go.mod has no replace, so that others can install
// from it. The folder's name stands in the module's build info: hence a
// relative one.
func (b *builder) slim() error {
	for _, s := range slimmed {
		if _, err := b.run("mod", "download", s.module); err != nil {
			return err
		}
		dir, err := b.run("list", "-m", "-f", "{{.Dir}}", s.module)
		if err != nil {
			return err
		}
		name := path.Base(strings.TrimSuffix(s.module, "/v3"))
		if err := copyModule(dir, filepath.Join(b.root, name), s.without); err != nil {
			return err
		}
		if _, err = b.run("mod", "edit", "-replace="+s.module+"=./"+name); err != nil {
			return err
		}
	}
	return nil
}

// copyModule copies the Go files of a module, without tests, commands and those
// of its root that are named.
func copyModule(from, to string, without []string) error {
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
		case slices.Contains(without, rel), strings.HasSuffix(name, "_test.go"):
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
