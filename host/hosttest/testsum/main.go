// Command testsum runs the steps of `make test` one after the other and says in
// its last line what came of them:
//
//	N passed, N failed, N skipped
//
// Each argument is a step, a shell command. What a step prints is shown as it
// comes, except for the output of `go test -json`: of that the failures are
// shown, with what they printed, and each test counts. Every other step counts
// as one. A step that goes wrong without a failing test (it does not compile, it
// crashed) counts as a failure too.
//
// The exit status is 1 when anything failed, or was skipped with CI=true.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: testsum STEP...")
		os.Exit(2)
	}
	s := summary{out: os.Stdout, strict: os.Getenv("CI") == "true"}
	for _, step := range os.Args[1:] {
		s.run(step)
	}
	if !s.close() {
		os.Exit(1)
	}
}

// run carries out one step.
func (s *summary) run(step string) {
	fmt.Fprintf(s.out, "== %s\n", step)
	start := time.Now()
	cmd := exec.Command("sh", "-c", step)
	cmd.Stderr = s.out
	r, w := io.Pipe()
	cmd.Stdout = w
	go func() { w.CloseWithError(cmd.Run()) }()
	err := s.step(step, r)
	verdict := "ok"
	if err != nil {
		verdict = err.Error()
	}
	fmt.Fprintf(s.out, "== %s (%.1f s): %s\n", verdict, time.Since(start).Seconds(), step)
}
