package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/turnwasm/turnwasm/client/turntest"
)

// planted is how many named bugs there are to be.
const planted = 20

// Every planted bug's old text stands in the source exactly once.
func TestBugsFitTheSource(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, b := range bugs {
		if _, err := b.apply(root); err != nil {
			t.Error(err)
		}
		names[b.Name] = true
	}
	if len(names) != planted {
		t.Errorf("%d bugs have a name of their own, want %d", len(names), planted)
	}
}

// Each bug is found within 1,000 seeds, by a seed that is green without it.
func TestEachBugIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the simulation once a bug")
	}
	for _, b := range bugs {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			found, err := b.hunt(options{seeds: 1000, first: 1, workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			if found == "" {
				t.Errorf("%s: not found in 1,000 seeds", b.What)
			}
			t.Log(found)
		})
	}
}

// A bug planted in the server model, which forgets to delete, is found: so the
// overlay, the build and the search work.
func TestHuntFindsAPlantedBug(t *testing.T) {
	b := bug{
		Name: "server keeps", What: "a release is answered and nothing deleted",
		File: "client/turntest/server_refresh.go", Old: "x.s.remove(h)", New: "_ = h",
	}
	found, err := b.hunt(options{seeds: 200, first: 1, workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(found, "I10") {
		t.Errorf("a leak is found by I10; found %q", found)
	}
}

func TestHuntRefusesABugThatDoesNotFit(t *testing.T) {
	b := bug{Name: "stale", File: "client/turntest/server_refresh.go", Old: "no such text", New: ""}
	if _, err := b.hunt(options{seeds: 1, workers: 1}); err == nil || !strings.Contains(err.Error(), "0 times") {
		t.Errorf("a bug whose text is gone must say so: %v", err)
	}
}

func TestPrintSaysHowToReplay(t *testing.T) {
	var out bytes.Buffer
	violation := turntest.Violation{Rule: "I10", Client: "c1", What: "it leaks"}
	tl := &tally{runs: 1, counters: turntest.Counters{}, failed: []*turntest.Report{
		{Seed: 77, Violations: []turntest.Violation{violation}},
	}}
	if code := tl.print(&out, options{seeds: 1}, 1); code != 1 {
		t.Errorf("a violation makes the exit code %d", code)
	}
	for _, want := range []string{"VIOLATION seed 77: I10", "make soak SEED=77"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
}

func TestPrintMissesWhatNeverHappened(t *testing.T) {
	var out bytes.Buffer
	tl := &tally{runs: 1, counters: turntest.Counters{}}
	if code := tl.print(&out, options{seeds: enough}, 1); code != 1 || !strings.Contains(out.String(), "NEVER HAPPENED") {
		t.Errorf("counters at 0 are a failure: code %d\n%s", code, out.String())
	}
}

func TestUsage(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	stderr := os.Stderr
	os.Stderr = null
	defer func() { os.Stderr = stderr }()
	for _, args := range [][]string{{"-seeds", "0"}, {"stray"}, {"-workers", "0"}, {"-nonsense"}, {"-break", "no such"}} {
		if code := run(args); code != 2 {
			t.Errorf("%q: exit code %d, want 2", args, code)
		}
	}
}
