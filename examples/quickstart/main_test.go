package main

import (
	"io"
	"os"
	"regexp"
	"testing"
)

var want = regexp.MustCompile(`^relayed address: 127\.0\.0\.1:\d+
127\.0\.0\.1:\d+ answers: hello
close: released; the server holds 0 allocations
$`)

func TestQuickstartPrintsWhatItsReadmeSays(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = w
	err = run(t.Context())
	os.Stdout = stdout
	w.Close()
	out, readErr := io.ReadAll(r)
	if err != nil || readErr != nil {
		t.Fatalf("%v %v\n%s", err, readErr, out)
	}
	if !want.Match(out) {
		t.Fatalf("printed\n%s\nwant\n%s", out, want)
	}
}
