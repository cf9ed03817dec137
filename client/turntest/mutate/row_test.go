package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRowsOf(t *testing.T) {
	for test, want := range map[string]string{
		"TestC05Close": "C5", "TestI05H03Quarantine": "I5 H3", "TestL09RebindMoves/native": "L9", "TestScripts/c13_reclaim": "C13",
		"TestScripts": "", "TestScripts/flow_twice": "", "TestProtocolIndex": "", "TestC5Short": "",
	} {
		if got := strings.Join(rowsOf(test), " "); got != want {
			t.Errorf("%s: %q, want %q", test, got, want)
		}
	}
}

// What ends in the midst of a test has failed there, and above.
func TestResults(t *testing.T) {
	ended, failed := results([]byte(`=== RUN   TestA01One
--- PASS: TestA01One (0.00s)
=== RUN   TestScripts
=== RUN   TestScripts/c01_a
=== RUN   TestScripts/c02_b
--- FAIL: TestScripts (0.00s)
    --- PASS: TestScripts/c01_a (0.00s)
    --- FAIL: TestScripts/c02_b (0.00s)
=== RUN   TestT01Panics
panic: no
`))
	if got := strings.Join(ended, " "); got != "TestA01One TestScripts TestScripts/c01_a TestScripts/c02_b" {
		t.Errorf("ended: %s", got)
	}
	if slices.Sort(failed); strings.Join(failed, " ") != "TestScripts TestScripts/c02_b TestT01Panics" {
		t.Errorf("failed: %s", failed)
	}
}

func TestIdleRowsAreListed(t *testing.T) {
	dir := t.TempDir()
	const table = "| C2 | x | done |\n| C10 | x | done |\n| A1 | x | done |\n| A2 | x | later |\n| I1 | x | done |\n"
	if err := os.WriteFile(filepath.Join(dir, "PROTOCOL.md"), []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := newTally([]string{"TestC02C10Both", "TestScripts/c10_x", "TestA01One"})
	rows.kill([]string{"TestScripts", "TestScripts/c10_x", "TestC02C10Both"})
	rows.kill([]string{"TestScripts/c10_x"})
	var out strings.Builder
	if err := rows.report(&out, dir, 2); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"kills of each row's tests: C2 1, C10 2\n", "rows with no test in " + dir + ": I1\n", "rows whose tests kill none of the 2: A1\n",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("the report lacks %q:\n%s", line, out.String())
		}
	}
}
