package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/turnwasm/turnwasm/host"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// small is a matrix of what needs Go alone.
func small(names ...string) *matrix {
	m := &matrix{workers: 8, columns: []column{{"pion", host.Native}, {"simulated", host.Native}, {"pion", 0}}}
	for _, r := range rows {
		for _, name := range names {
			if r.name == name {
				m.rows = append(m.rows, r)
			}
		}
	}
	return m
}

func expectations(t *testing.T) table {
	t.Helper()
	want, err := readTable("expected.txt")
	if err != nil {
		t.Fatal(err)
	}
	return want
}

func TestCellsAreWhatTheTableSays(t *testing.T) {
	m := small("nothing sent", "signed Allocate in flight", "allocated, release lost once")
	if err := m.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if !m.print(&out, expectations(t)) {
		t.Fatalf("not as expected:\n%s", out.String())
	}
	if !strings.HasSuffix(out.String(), "\nleaked 0 of 6\n") {
		t.Errorf("last line:\n%s", out.String())
	}
	// pion's client sends one release and does not wait: the proxy lost it.
	if got := m.results[2][2].String(); got != "released 1" {
		t.Errorf("pion's client, its release lost: %s, want released 1", got)
	}
}

// The same matrix judging pion's client as if it were ours: the leaks that it
// has must be found, or the zero of ours means nothing.
func TestLeaksAreFound(t *testing.T) {
	m := small("allocated, release lost once")
	if err := m.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.results[0][0] = m.results[0][2]
	var out strings.Builder
	if m.print(&out, expectations(t)) {
		t.Error("a leak was taken for well")
	}
	for _, line := range []string{"DIFFERS: allocated, release lost once, pion/native: released 1, want released 0\n", "\nleaked 1 of 2\n"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("the output lacks %q:\n%s", line, out.String())
		}
	}
}

func TestEveryCellHasAnExpectation(t *testing.T) {
	want := expectations(t)
	for _, r := range rows {
		for _, c := range columns {
			got := want.cell(r.name, c.String())
			if got == "nothing" || got == "failed" || got == "" {
				t.Errorf("%s, %s: %q in expected.txt", r.name, c, got)
			}
			if held, is := strings.CutPrefix(got, "released "); is && held != "0" && c.engine != 0 {
				t.Errorf("%s, %s: the table expects a leak: %q", r.name, c, got)
			}
		}
	}
	if len(want) != len(rows)+1 {
		t.Errorf("%d lines for %d rows", len(want)-1, len(rows))
	}
}

func TestTableIsReadAsWritten(t *testing.T) {
	written := table{{"close", "a/b"}, {"a row, with a comma", "released 0"}}
	path := filepath.Join(t.TempDir(), "t")
	if err := os.WriteFile(path, []byte(header+written.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := readTable(path)
	if err != nil || read.cell("a row, with a comma", "a/b") != "released 0" || read.cell("a row", "a/b") != "nothing" {
		t.Fatalf("read %v: %v", read, err)
	}
}
