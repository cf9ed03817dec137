package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A row of PROTOCOL.md is proven by tests that are named after it: TestC05T03Name,
// and the scripts TestScripts/c05_name.
var (
	namedTest   = regexp.MustCompile(`^Test((?:[A-Z]\d\d)+)[A-Z]`)
	namedScript = regexp.MustCompile(`^TestScripts/([a-z]\d\d)_`)
	rowInName   = regexp.MustCompile(`[A-Z]\d\d`)
	protocolRow = regexp.MustCompile(`(?m)^\| ([A-Z]\d+) \|.*\| done \|$`)
)

// rowsOf are the rows that a test is named after: none, one or several.
func rowsOf(test string) (rows []string) {
	var names string
	if m := namedTest.FindStringSubmatch(test); m != nil {
		names = m[1]
	} else if m := namedScript.FindStringSubmatch(test); m != nil {
		names = strings.ToUpper(m[1])
	}
	for _, r := range rowInName.FindAllString(names, -1) {
		rows = append(rows, r[:1]+strings.TrimPrefix(r[1:], "0"))
	}
	return rows
}

// tally is how many mutants each row's tests have killed. A row that has tests
// here and has killed none is there, too, with 0.
type tally map[string]int

// newTally knows the rows of the tests.
func newTally(tests []string) tally {
	t := tally{}
	for _, test := range tests {
		for _, r := range rowsOf(test) {
			t[r] = 0
		}
	}
	return t
}

// kill counts a mutant, once for each row.
func (t tally) kill(failed []string) {
	rows := map[string]bool{}
	for _, test := range failed {
		for _, r := range rowsOf(test) {
			rows[r] = true
		}
	}
	for r := range rows {
		t[r]++
	}
}

// report says which rows hold nothing, as far as these mutants tell, and which
// have no test among those that were run.
func (t tally) report(out io.Writer, dir string, killed int) error {
	text, err := os.ReadFile(filepath.Join(dir, "PROTOCOL.md"))
	if err != nil {
		return err
	}
	var elsewhere []string
	for _, m := range protocolRow.FindAllStringSubmatch(string(text), -1) {
		if _, here := t[m[1]]; !here {
			elsewhere = append(elsewhere, m[1])
		}
	}
	var idle, busy []string
	for _, r := range slices.SortedFunc(maps.Keys(t), byRow) {
		if t[r] == 0 {
			idle = append(idle, r)
		} else {
			busy = append(busy, fmt.Sprintf("%s %d", r, t[r]))
		}
	}
	fmt.Fprintf(out, "kills of each row's tests: %s\n", list(busy))
	fmt.Fprintf(out, "rows with no test in %s: %s\n", dir, list(elsewhere))
	fmt.Fprintf(out, "rows whose tests kill none of the %d: %s\n", killed, list(idle))
	return nil
}

func list(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// byRow sorts C2 before C10.
func byRow(a, b string) int {
	if a[0] != b[0] {
		return int(a[0]) - int(b[0])
	}
	x, _ := strconv.Atoi(a[1:])
	y, _ := strconv.Atoi(b[1:])
	return x - y
}
