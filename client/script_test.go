package client_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/turnwasm/turnwasm/client/turntest"
)

var rewrite = flag.Bool("rewrite", false, "write into testdata/*.txt what the scripts bring about now")

// TestScripts runs every script natively. A golden that changes is a change of
// behaviour: -rewrite writes it, and its commit says why.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := turntest.RunScript(string(text), new(turntest.NativeDriver))
	if err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		err = os.WriteFile(file, []byte(got), 0o644)
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := turntest.DiffScript(string(text), got); diff != "" {
		t.Error(diff)
	}
}
