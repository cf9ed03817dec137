package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/turnwasm/turnwasm/client/turntest"
)

// runBreaks plants a bug, or each in turn, and lets the rules look for it. The
// exit code is 0 when every planted bug was found.
func runBreaks(o options) int {
	if o.breakName == "list" {
		for _, b := range bugs {
			fmt.Printf("%-24s %s\n", b.Name, b.What)
		}
		return 0
	}
	code, known := 0, false
	for _, b := range bugs {
		if o.breakName != "all" && o.breakName != b.Name {
			continue
		}
		known = true
		found, err := b.hunt(o)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", b.Name, err)
			return 2
		}
		if found == "" {
			fmt.Printf("NOT FOUND  %s: %s (%d seeds)\n", b.Name, b.What, o.seeds)
			code = 1
			continue
		}
		fmt.Printf("found      %s: %s\n           %s\n", b.Name, b.What, found)
	}
	if !known {
		fmt.Fprintf(os.Stderr, "no such bug: %s (see -break list)\n", o.breakName)
		return 2
	}
	return code
}

// hunt builds this command once more with the bug in it, runs it, and answers
// the first violation; "" when there was none. A seed that fails without the
// bug too has found something else, which is an error.
func (b bug) hunt(o options) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	binary, err := b.build(root, dir)
	if err != nil {
		return "", err
	}
	out, err := exec.Command(binary, "-seeds", strconv.Itoa(o.seeds), "-first", strconv.FormatUint(o.first, 10),
		"-workers", strconv.Itoa(o.workers), "-stop", "1").CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", err
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "VIOLATION") || strings.HasPrefix(line, "panic:") {
			return strings.TrimSpace(line), wantBlameless(line)
		}
	}
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return "", nil
}

// wantBlameless runs the seed of a violation without any bug: it must be green.
func wantBlameless(violation string) error {
	var seed uint64
	if n, _ := fmt.Sscanf(violation, "VIOLATION seed %d:", &seed); n == 0 {
		return nil // a panic names no seed
	}
	if r := turntest.Run(seed, turntest.Options{}); len(r.Violations) > 0 {
		return fmt.Errorf("seed %d fails without the bug too: %v", seed, r.Violations[0])
	}
	return nil
}

// build compiles with an overlay in which the one file is changed.
func (b bug) build(root, dir string) (string, error) {
	source := filepath.Join(root, filepath.FromSlash(b.File))
	text, err := b.apply(root)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, "changed.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: changed}})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.WriteFile(changed, []byte(text), 0o600),
		os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600)); err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "soak")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, "./client/turntest/soak")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the bug does not compile: %w: %s", err, out)
	}
	return binary, nil
}

// apply answers the file's text with the bug in it.
func (b bug) apply(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(b.File)))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), b.Old); n != 1 {
		return "", fmt.Errorf("%s: its old text stands %d times in %s, not once", b.Name, n, b.File)
	}
	return strings.Replace(string(text), b.Old, b.New, 1), nil
}

// moduleRoot is the folder of go.mod.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", err
	}
	file := strings.TrimSpace(string(out))
	if filepath.Base(file) != "go.mod" {
		return "", errors.New("not inside the module")
	}
	return filepath.Dir(file), nil
}
