package client

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// PROTOCOL.md is what users read, so tests hold it to the code.

func protocolText(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// protocolRows are the rows and their status.
func protocolRows(t *testing.T) map[string]string {
	t.Helper()
	rows := map[string]string{}
	form := regexp.MustCompile(`^\| ([CTALPHDSI]\d+) \| \S.*\S \| (done|later) \|$`)
	for _, line := range regexp.MustCompile(`(?m)^ *\|? *[A-Z]\d+ *\|.*$`).FindAllString(protocolText(t), -1) {
		m := form.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("no row with its status: %s", line)
			continue
		}
		if rows[m[1]] != "" {
			t.Errorf("row %s is there twice", m[1])
		}
		rows[m[1]] = m[2]
	}
	return rows
}

// rowCount is the last number of each letter. There is no L8.
var rowCount = map[string]int{"C": 16, "T": 14, "A": 14, "L": 13, "P": 6, "H": 8, "D": 2, "S": 4, "I": 12}

// A row that is gone is not missed by the others: the numbers have no gaps.
func TestProtocolRowsAreAllThere(t *testing.T) {
	rows := protocolRows(t)
	want := -1 // L8
	for letter, last := range rowCount {
		want += last
		for n := 1; n <= last; n++ {
			if row := fmt.Sprint(letter, n); rows[row] == "" && row != "L8" {
				t.Errorf("row %s is missing", row)
			}
		}
	}
	if len(rows) != want {
		t.Errorf("%d rows, want %d: rowCount says how many", len(rows), want)
	}
}

// freeScripts are about the runner's own ways, not about a row.
var freeScripts = regexp.MustCompile(`^(flow|commands|first)_`)

// Every script and every test that looks like one of a row's is one.
func TestProtocolNames(t *testing.T) {
	for _, file := range list(t, "testdata/*.txt") {
		if name := filepath.Base(file); !freeScripts.MatchString(name) && !regexp.MustCompile(`^[a-z]\d\d_[a-z0-9_]+\.txt$`).MatchString(name) {
			t.Errorf("%s is named after no row", name)
		}
	}
	for _, file := range list(t, "*_test.go", "turntest/*_test.go", "../host/*_test.go", "../wasm/*/*_test.go") {
		for _, m := range regexp.MustCompile(`(?m)^func (Test[CTALPHDSI]\d\w*)\(`).FindAllStringSubmatch(readFile(t, file), -1) {
			if !regexp.MustCompile(`^Test(?:[CTALPHDSI]\d\d)+[A-Z]`).MatchString(m[1]) {
				t.Errorf("%s: %s: a row's name has two digits", file, m[1])
			}
		}
	}
}

// proofs are the rows that a script, a test or a rule of the simulation names.
func proofs(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	add := func(letter, number, where string) {
		row := strings.ToUpper(letter) + strings.TrimLeft(number, "0")
		found[row] = append(found[row], where)
	}
	for _, file := range list(t, "testdata/*.txt") {
		if m := regexp.MustCompile(`^([a-z])(\d\d)_`).FindStringSubmatch(filepath.Base(file)); m != nil {
			add(m[1], m[2], file)
		}
	}
	named := regexp.MustCompile(`(?m)^func (Test(?:[A-Z]\d\d)+)[A-Z]\w*\(`)
	row := regexp.MustCompile(`([A-Z])(\d\d)`)
	rule := regexp.MustCompile(`violate\([^"\n]*"(I)(\d+)"`)
	for _, file := range list(t, "*_test.go", "turntest/*.go", "../host/*_test.go", "../wasm/*/*_test.go") {
		text := readFile(t, file)
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			for _, r := range row.FindAllStringSubmatch(m[1], -1) {
				add(r[1], r[2], file)
			}
		}
		for _, m := range rule.FindAllStringSubmatch(text, -1) {
			add(m[1], m[2], file)
		}
	}
	return found
}

func list(t *testing.T, patterns ...string) (files []string) {
	t.Helper()
	for _, p := range patterns {
		some, err := filepath.Glob(p)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, some...)
	}
	return files
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestProtocolIndex(t *testing.T) {
	rows, found := protocolRows(t), proofs(t)
	for row, status := range rows {
		switch {
		case status != "done" && status != "later":
			t.Errorf("row %s has the status %q", row, status)
		case status == "done" && len(found[row]) == 0:
			t.Errorf("row %s is marked done and nothing is named after it", row)
		}
	}
	for row, where := range found {
		if rows[row] != "done" {
			t.Errorf("row %s is %q, and yet named by %s", row, rows[row], where[0])
		}
	}
}

func TestProtocolBounds(t *testing.T) {
	bounds := map[string]int64{
		"maxRequests": maxRequests, "maxPermissions": maxPermissions, "maxChannels": maxChannels,
		"maxPending": maxPending, "maxConnections": maxConnections,
		"maxWaiting": maxWaiting, "maxQueuedPerPeer": maxQueuedPerPeer, "maxQueuedBytes": maxQueuedBytes,
		"maxQueuedTotal": maxQueuedTotal, "maxForgone": maxForgone, "maxResigned": maxResigned,
		"maxServerErrors": maxServerErrors, "maxPorts": maxPorts, "maxText": maxText, "maxUsername": maxUsername,
		"maxReason": maxReason, "maxAlgorithms": maxAlgorithms, "maxToken": maxToken, "maxTicket": maxTicket,
		"maxMessage": maxMessage, "maxSends": maxSends, "maxWaits": maxWaits, "maxFrame": maxFrame,
	}
	text := protocolText(t)
	for name, n := range bounds {
		if !strings.Contains(text, fmt.Sprintf("| `%s` | %d ", name, n)) {
			t.Errorf("PROTOCOL.md does not say that %s is %d", name, n)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(text, -1) {
		if _, ok := bounds[m[1]]; !ok {
			t.Errorf("PROTOCOL.md lists %s, which is no bound", m[1])
		}
	}
	// Times and the sizes of control messages are no bounds on memory.
	others := map[string]bool{"maxLifetime": true, "maxNow": true, "maxRTO": true, "maxControlIPv4": true, "maxControlIPv6": true}
	for _, m := range regexp.MustCompile(`(?m)^\t(max\w+)`).FindAllStringSubmatch(readFile(t, "limits.go"), -1) {
		if _, ok := bounds[m[1]]; !ok && !others[m[1]] {
			t.Errorf("limits.go has %s, which PROTOCOL.md does not list", m[1])
		}
	}
}
