package host

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// answering is a module whose one function answers the number.
func answering(number byte) []byte {
	return []byte("\x00asm\x01\x00\x00\x00" +
		"\x01\x05\x01\x60\x00\x01\x7f" + // the type () i32
		"\x03\x02\x01\x00" +
		"\x07\x05\x01\x01f\x00\x00" + // export f
		"\x0a\x06\x01\x04\x00\x41" + string(number) + "\x0b") // i32.const
}

// load loads the module and calls it.
func loadCached(t *testing.T, dir string, module []byte) {
	t.Helper()
	if err := loads(dir, module); err != nil {
		t.Fatal(err)
	}
}

func loads(dir string, module []byte) error {
	ctx := context.Background()
	f, err := loadWazero(ctx, wazeroOptions{module: module, cacheDir: dir})
	if err != nil {
		return err
	}
	defer f.shut(ctx)
	m, err := f.runtime.Instantiate(ctx, module)
	if err != nil {
		return err
	}
	want := uint64(module[len(module)-2])
	if got, err := m.ExportedFunction("f").Call(ctx); err != nil || got[0] != want {
		return fmt.Errorf("it answers %v, %v, want %d", got, err, want)
	}
	return nil
}

// inCache is what the folder holds, by the ending of the name.
func inCache(t *testing.T, dir string) (entries, others []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir():
		case entryName.MatchString(d.Name()):
			entries = append(entries, path)
		default:
			others = append(others, d.Name())
		}
		return err
	}))
	return entries, others
}

// wantCached fails the test unless there is one entry, sealed, and nothing else.
func wantCached(t *testing.T, dir string) string {
	t.Helper()
	entries, others := inCache(t, dir)
	if len(entries) != 1 || len(others) != 1 || !isSealed(entries[0]) {
		t.Fatalf("the cache holds %v and %v, want one entry and its seal", entries, others)
	}
	return entries[0]
}

func TestCacheIsUsed(t *testing.T) {
	dir := t.TempDir()
	loadCached(t, dir, answering(7))
	entry := wantCached(t, dir)
	before, err := os.Stat(entry)
	must(t, err)
	loadCached(t, dir, answering(7))
	if after, err := os.Stat(wantCached(t, dir)); err != nil || !os.SameFile(before, after) {
		t.Errorf("the second start compiled, too: %v", err)
	}
}

func TestCacheKeepsModulesApart(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		loadCached(t, dir, answering(7))
		loadCached(t, dir, answering(8))
	}
	if entries, _ := inCache(t, dir); len(entries) != 2 {
		t.Errorf("two modules have the entries %v", entries)
	}
}

// TestCacheMendsItself: a damaged entry is replaced, wherever the damage is.
// wazero by itself would keep it, or take it and die.
func TestCacheMendsItself(t *testing.T) {
	dir := t.TempDir()
	loadCached(t, dir, answering(7))
	entry := wantCached(t, dir)
	good, err := os.ReadFile(entry)
	must(t, err)
	damages := map[string][]byte{
		"empty": nil, "garbage": bytes.Repeat([]byte("garbage "), 1000),
		"longer": append(bytes.Clone(good), 0), "zeros": make([]byte, len(good)),
	}
	for i := 0; i < len(good); i += 3 {
		damages[fmt.Sprintf("cut after %d", i)] = good[:i]
		flipped := bytes.Clone(good)
		flipped[i] ^= 0x81
		damages[fmt.Sprintf("byte %d flipped", i)] = flipped
	}
	for name, damage := range damages {
		must(t, os.WriteFile(entry, damage, 0o600))
		if err := loads(dir, answering(7)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if mended, err := os.ReadFile(wantCached(t, dir)); err != nil || !bytes.Equal(mended, good) {
			t.Fatalf("%s: it is not mended: %v", name, err)
		}
	}
}

func TestCacheDoubtsSeals(t *testing.T) {
	dir := t.TempDir()
	loadCached(t, dir, answering(7))
	seal := sealOf(wantCached(t, dir))
	for _, damage := range []string{"", "garbage", "3 bytes, CRC-32C 00000000\n"} {
		must(t, os.WriteFile(seal, []byte(damage), 0o600))
		loadCached(t, dir, answering(7))
		wantCached(t, dir)
	}
	must(t, os.Remove(seal))
	loadCached(t, dir, answering(7))
	wantCached(t, dir)
}

// TestCacheThatCannotBe: the module is compiled without.
func TestCacheThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	loadCached(t, file, answering(7))
	loadCached(t, filepath.Join(file, "below"), answering(7))

	readOnly := t.TempDir()
	must(t, os.Chmod(readOnly, 0o500))
	loadCached(t, readOnly, answering(7))
	must(t, os.Chmod(readOnly, 0o700))

	// What is in the entry's place cannot be read, replaced or removed.
	dir := t.TempDir()
	loadCached(t, dir, answering(7))
	entry := wantCached(t, dir)
	must(t, os.Remove(entry))
	must(t, os.MkdirAll(filepath.Join(entry, "a", "b"), 0o700))
	loadCached(t, dir, answering(7))
	must(t, os.RemoveAll(entry))
	must(t, os.Chmod(filepath.Dir(entry), 0o500)) // nothing can be added
	loadCached(t, dir, answering(7))
	must(t, os.Chmod(filepath.Dir(entry), 0o700))
}

func TestCacheOddFolderNames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a [b", "ü")
	loadCached(t, dir, answering(7))
	loadCached(t, dir, answering(7))
	wantCached(t, dir)
}

func TestCacheDoesNotGrow(t *testing.T) {
	dir := t.TempDir()
	loadCached(t, dir, answering(7))
	unfinished := wantCached(t, dir) + ".123.tmp"
	old, foreign := filepath.Join(dir, "module-00000000"), filepath.Join(dir, "modules")
	young := filepath.Join(dir, "module-11111111")
	must(t, os.WriteFile(unfinished, nil, 0o600))
	for _, folder := range []string{old, foreign, young} {
		must(t, os.MkdirAll(folder, 0o700))
	}
	for _, path := range []string{old, foreign, unfinished} {
		must(t, os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0)))
	}
	loadCached(t, dir, answering(8)) // adds an entry, to another folder
	must(t, os.Remove(wantEntry(t, filepath.Dir(unfinished))))
	loadCached(t, dir, answering(7))
	for path, want := range map[string]bool{old: false, unfinished: false, foreign: true, young: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", path, err == nil, want)
		}
	}
}

func wantEntry(t *testing.T, dir string) string {
	t.Helper()
	entries, _ := inCache(t, dir)
	if len(entries) != 1 {
		t.Fatalf("%s has the entries %v", dir, entries)
	}
	return entries[0]
}

// cacheProcess starts this test program again, to load the real module from
// the folder.
func cacheProcess(t *testing.T, dir, how string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCacheProcess$", "-test.v")
	cmd.Env = append(os.Environ(), "TURNWASM_TEST_CACHE="+dir, "TURNWASM_TEST_CACHE_HOW="+how)
	return cmd
}

// TestCacheProcess is that process; otherwise it does nothing.
func TestCacheProcess(t *testing.T) {
	dir := os.Getenv("TURNWASM_TEST_CACHE")
	if dir == "" {
		return
	}
	if os.Getenv("TURNWASM_TEST_CACHE_HOW") == "no room" {
		leaveNoRoom(t)
	}
	for range 3 {
		for number := range byte(20) {
			loadCached(t, dir, answering(number))
		}
	}
	t.Log("it works")
}

func wantWorks(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "it works") {
		t.Errorf("a process ends with %v: %s", err, out)
	}
}

// TestCacheManyProcesses: at once, on an empty folder and a full one.
func TestCacheManyProcesses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there")
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() { wantWorks(t, cacheProcess(t, dir, "")) })
	}
	all.Wait()
	entries, others := inCache(t, dir)
	if len(entries) != 20 || len(others) != 20 {
		t.Errorf("%d entries and %d other files are left, want 20 each", len(entries), len(others))
	}
	for _, entry := range entries {
		if !isSealed(entry) {
			t.Errorf("%s has no seal", entry)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for _, how := range []string{"cold", "warm"} {
		b.Run(how, func(b *testing.B) {
			dir := b.TempDir()
			start := func() {
				rt, err := New(b.Context(), WithEngine(Wasm), WithCacheDir(dir))
				if err != nil {
					b.Fatal(err)
				}
				if err := rt.Close(); err != nil {
					b.Fatal(err)
				}
			}
			if how == "warm" {
				start()
			}
			for b.Loop() {
				if how == "cold" {
					if err := os.RemoveAll(dir); err != nil {
						b.Fatal(err)
					}
				}
				start()
			}
		})
	}
}
