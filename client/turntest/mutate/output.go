package main

import (
	"bufio"
	"bytes"
	"strings"
)

// results reads what a test binary prints with -test.v: each test that ended, and
// those that failed. One that has begun and not ended, because of a panic or of
// the time-out, failed.
func results(output []byte) (ended, failed []string) {
	open := map[string]bool{}
	for lines := bufio.NewScanner(bytes.NewReader(output)); lines.Scan(); {
		verb, rest, _ := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		name, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		switch run, begun := strings.CutPrefix(verb, "=== RUN"); {
		case begun:
			open[strings.TrimSpace(run)] = true
		case verb == "--- FAIL":
			failed = append(failed, name)
			ended = append(ended, name)
			delete(open, name)
		case verb == "--- PASS" || verb == "--- SKIP":
			ended = append(ended, name)
			delete(open, name)
		}
	}
	for name := range open {
		failed = append(failed, name)
	}
	return ended, failed
}
