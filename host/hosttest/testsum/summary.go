package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// event is a line of `go test -json`; see `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output, instead of Package
	Test       string
	Output     string
	Elapsed    float64
}

// name is the test, or the package when the event concerns all of it.
func (e event) name() string {
	switch {
	case e.Test != "":
		return e.Package + " " + e.Test
	case e.Package != "":
		return e.Package
	}
	return e.ImportPath
}

type summary struct {
	out     io.Writer
	strict  bool
	pass    int
	fail    []string
	skip    []string
	printed map[string]*strings.Builder // by name, what a test that still runs has printed
}

// step reads what a step prints, to its end; the reader's last error is the
// step's own. It answers why the step failed.
func (s *summary) step(name string, r io.Reader) error {
	before, tests := len(s.fail), false
	s.printed = make(map[string]*strings.Builder)
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if s.line(line) {
			tests = true
		}
		if errors.Is(err, io.EOF) {
			err = nil
		} else if err == nil {
			continue
		}
		return s.stepEnd(name, tests, len(s.fail) > before, err)
	}
}

func (s *summary) stepEnd(name string, tests, failed bool, err error) error {
	switch {
	case err == nil && failed:
		return errors.New("failed")
	case err == nil && !tests:
		s.pass++
	case err != nil && !failed:
		s.fail = append(s.fail, name+": "+err.Error())
	}
	return err
}

// line takes one line; it answers whether that was a test event.
func (s *summary) line(line string) bool {
	var e event
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil || e.Action == "" {
		io.WriteString(s.out, line)
		return false
	}
	switch e.Action {
	case "output", "build-output":
		if s.printed[e.name()] == nil {
			s.printed[e.name()] = new(strings.Builder)
		}
		s.printed[e.name()].WriteString(e.Output)
	case "pass", "fail", "skip", "build-fail":
		s.ended(e)
		delete(s.printed, e.name())
	}
	return true
}

// ended counts a test. A package counts only when it failed as a whole, outside
// of its tests.
func (s *summary) ended(e event) {
	switch {
	case e.Action == "build-fail" || e.Action == "fail" && (e.Test != "" || !s.failedIn(e.Package)):
		s.fail = append(s.fail, e.name())
		fmt.Fprintf(s.out, "--- FAIL: %s (%.2f s)\n%s", e.name(), e.Elapsed, s.output(e))
	case e.Action == "skip" && e.Test != "":
		s.skip = append(s.skip, e.name())
		fmt.Fprintf(s.out, "--- SKIP: %s\n%s", e.name(), s.output(e))
	case e.Action == "pass" && e.Test != "":
		s.pass++
	case e.Action == "pass":
		fmt.Fprintf(s.out, "ok  %s (%.1f s)\n", e.Package, e.Elapsed)
	}
}

func (s *summary) output(e event) string {
	if b := s.printed[e.name()]; b != nil {
		return b.String()
	}
	return ""
}

// failedIn: a failure of the package is counted already.
func (s *summary) failedIn(pkg string) bool {
	for _, f := range s.fail {
		if f == pkg || strings.HasPrefix(f, pkg+" ") {
			return true
		}
	}
	return false
}

// close prints the failures once more and the closing line, and answers whether
// all is well.
func (s *summary) close() bool {
	for _, name := range s.fail {
		fmt.Fprintf(s.out, "failed: %s\n", name)
	}
	for _, name := range s.skip {
		fmt.Fprintf(s.out, "skipped: %s\n", name)
	}
	fmt.Fprintf(s.out, "%d passed, %d failed, %d skipped\n", s.pass, len(s.fail), len(s.skip))
	return len(s.fail) == 0 && (!s.strict || len(s.skip) == 0)
}
