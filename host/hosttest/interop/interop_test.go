package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/turnwasm/turnwasm/host"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// small is a matrix of what needs Go alone.
func small(t *testing.T, names ...string) *matrix {
	t.Helper()
	m := &matrix{workers: 8, columns: []column{{server{pion, "", "in process"}, "native", host.Native, nil}}}
	for _, r := range rows {
		if slices.Contains(names, r.name) {
			m.rows = append(m.rows, r)
		}
	}
	if len(m.rows) != len(names) {
		t.Fatalf("%d rows of %q", len(m.rows), names)
	}
	return m
}

func played(t *testing.T, m *matrix) (text string, well bool) {
	t.Helper()
	if err := m.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	well = m.print(&out)
	return out.String(), well
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line) {
			t.Errorf("the output lacks %q:\n%s", line, text)
		}
	}
}

func TestCells(t *testing.T) {
	m := small(t, "TLS", "channels", "440: no IPv6 there", "442: no UDP relay")
	text, well := played(t, m)
	if !well {
		t.Error("it is not well")
	}
	wantLines(t, text, "pion: in process\n", "channels           | passed\n", "limit: 440: no IPv6 there, pion: it answers 508\n",
		"\n2 passed, 2 limits of servers, 0 failed\n")
	file := filepath.Join(t.TempDir(), "cells.json")
	if err := m.writeJSON(file); err != nil {
		t.Fatal(err)
	}
	var cells []map[string]string
	if b, err := os.ReadFile(file); err != nil || json.Unmarshal(b, &cells) != nil || len(cells) != 4 {
		t.Fatalf("the file: %v, %d cells", err, len(cells))
	}
	if c := cells[2]; c["state"] != "limit" || c["limit"] != "it answers 508" || c["client"] != "native" {
		t.Errorf("the cell is %v", c)
	}
}

// What is listed nowhere is a failure, and so is a listed limit that looks
// different; one that passes is told.
func TestFailuresAreFound(t *testing.T) {
	was := limits
	t.Cleanup(func() { limits = was })
	limits = []limit{
		{"channels", pions, "anything", "it has none"},
		{"440: no IPv6 there", pions, "420", "it answers 420"},
	}
	text, well := played(t, small(t, "channels", "440: no IPv6 there", "DONT-FRAGMENT"))
	if well {
		t.Error("failures were taken for well")
	}
	wantLines(t, text, "PASSED all the same: channels, pion/native: the limit is listed as \"it has none\"\n",
		"FAILED: 440: no IPv6 there, pion/native: ", "FAILED: DONT-FRAGMENT, pion/native: allocated without it: 420",
		"<- Allocate error 420\n", "\n1 passed, 0 limits of servers, 2 failed\n")
}

func TestLimitsNameRowsAndServers(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.name] {
			t.Errorf("two rows are named %q", r.name)
		}
		seen[r.name] = true
	}
	for _, l := range limits {
		if !seen[l.row] {
			t.Errorf("a limit is listed for %q, which is no row", l.row)
		}
		if l.shows == "" || l.why == "" || len(l.servers) == 0 {
			t.Errorf("the limit %+v lacks something", l)
		}
		for _, s := range l.servers {
			if !slices.Contains(all, s) {
				t.Errorf("a limit is listed for %q, which is no server", s)
			}
			if first := limitOf(l.row, s); first.why != l.why {
				t.Errorf("two limits are listed for %q, %s", l.row, s)
			}
		}
	}
	for _, r := range rows {
		for _, s := range all {
			if !r.has(server{name: s}) && judge(r.name, s, errNoMeans).state != limited {
				t.Errorf("%q is not for %s, and no limit says why", r.name, s)
			}
		}
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		err  error
		want state
	}{{nil, passed}, {errors.New("Allocate: 508"), limited}, {errors.New("Allocate: 500"), failed}} {
		if got := judge("440: no IPv6 there", pion, c.err); got.state != c.want || got.surprise() != (c.err == nil) {
			t.Errorf("%v: %s, a surprise: %t", c.err, got.state, got.surprise())
		}
	}
}

func TestCheckersLines(t *testing.T) {
	const well = `{"event":"allocated"}
{"event":"echoed","sent":20,"received":20}
{"event":"closed","outcome":"released"}
`
	for text, want := range map[string]bool{
		well: true, strings.Replace(well, `received":20`, `received":0`, 1): false, strings.Replace(well, "released", "unconfirmed", 1): false, "what\n": false, "": false,
	} {
		if err := echoedAndReleased([]byte(text)); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}
