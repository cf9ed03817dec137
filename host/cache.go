package host

import (
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// cacheFolder is where wazero keeps the machine code of one module. The name
// that wazero gives an entry tells its own version, the system, the processor's
// features and the module apart; it writes an entry beside its place and then
// renames it, and it checks the sum of the code. What it takes on trust are the
// tables around the code: with a wrong byte there the process dies. So every
// entry gets a seal, a file with the sum of it all, and an entry without a good
// one is thrown away before wazero sees it. Seals are against accidents: who
// can write to the folder can run code here.
//
// Any number of processes may do this at the same time. The worst that can
// happen to one is that it compiles.
type cacheFolder struct {
	dir    string
	sealed []string // the entries that were there
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openCacheFolder is nil, no cache, when the folder cannot be had, or holds what
// is no good and cannot be thrown away.
func openCacheFolder(parent string, module []byte) *cacheFolder {
	if parent == "" {
		return nil
	}
	c := &cacheFolder{dir: filepath.Join(parent, fmt.Sprintf("module-%08x", crc32.Checksum(module, castagnoli)))}
	if os.MkdirAll(c.dir, 0o700) != nil || c.weed() != nil {
		return nil
	}
	// Says to prune that it is in use. Where that fails nobody prunes either.
	_ = os.Chtimes(c.dir, time.Time{}, time.Now())
	return c
}

// entryName is what wazero calls an entry; its temporary files have more.
var entryName = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (c *cacheFolder) entries() []string {
	return slices.DeleteFunc(glob(c.dir, "wazero-*/*"), func(path string) bool {
		return !entryName.MatchString(filepath.Base(path))
	})
}

// glob takes the folder by its name, whatever is in it.
func glob(dir, pattern string) []string {
	paths, _ := fs.Glob(os.DirFS(dir), pattern) // the patterns are good
	for i, path := range paths {
		paths[i] = filepath.Join(dir, filepath.FromSlash(path))
	}
	return paths
}

func sealOf(entry string) string { return entry + ".seal" }

// weed throws away what is not sealed.
func (c *cacheFolder) weed() error {
	for _, entry := range c.entries() {
		if isSealed(entry) {
			c.sealed = append(c.sealed, entry)
			continue
		}
		_ = os.Remove(sealOf(entry))
		if err := os.Remove(entry); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

func isSealed(entry string) bool {
	seal, err := os.ReadFile(sealOf(entry))
	if err != nil {
		return false
	}
	sum, err := sumOf(entry)
	return err == nil && sum == string(seal)
}

func sumOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := crc32.New(castagnoli)
	n, err := io.CopyBuffer(sum, onlyReader{file}, make([]byte, 256<<10))
	return fmt.Sprintf("%d bytes, CRC-32C %08x\n", n, sum.Sum32()), err
}

// onlyReader hides the file's WriteTo, which would take a smaller buffer.
type onlyReader struct{ io.Reader }

// seal seals what was compiled since the folder was opened. A seal that cannot
// be written, or is cut, costs the next process a compilation.
func (c *cacheFolder) seal() {
	for _, entry := range c.entries() {
		if slices.Contains(c.sealed, entry) {
			continue
		}
		if sum, err := sumOf(entry); err == nil {
			_ = os.WriteFile(sealOf(entry), []byte(sum), 0o600)
		}
		c.prune()
	}
}

// What nobody has used for so long goes: the code of modules of other versions,
// and what processes that died have left unfinished.
const (
	pruneModules    = 60 * 24 * time.Hour
	pruneUnfinished = time.Hour
)

// prune is called when something was added, so that the folder does not grow
// with every version.
func (c *cacheFolder) prune() {
	removeOlder(pruneModules, glob(filepath.Dir(c.dir), "module-????????"))
	removeOlder(pruneUnfinished, glob(c.dir, "wazero-*/*.tmp"))
}

func removeOlder(age time.Duration, paths []string) {
	for _, path := range paths {
		if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > age {
			_ = os.RemoveAll(path)
		}
	}
}
