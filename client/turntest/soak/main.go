// Soak runs the simulation of package turntest over many seeds:
//
//	go run ./client/turntest/soak -seeds 10000
//	go run ./client/turntest/soak -seed 42 -v
//	go run ./client/turntest/soak -seeds 1000 -break NAME
//
// The first prints how fast virtual time went, how often everything happened
// that is meant to happen, and each rule that did not hold with the command
// that replays it. The second replays one seed, with -v in words. The third
// plants a bug in a copy of the client and is well when the rules find it.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() { os.Exit(run(os.Args[1:])) }

// run answers the exit code: 0 = well, 1 = a rule did not hold, 2 = usage.
func run(args []string) int {
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	o := options{}
	f.IntVar(&o.seeds, "seeds", 1000, "how many seeds to run")
	f.Uint64Var(&o.first, "first", 1, "the first of them")
	f.Uint64Var(&o.seed, "seed", 0, "run this one seed only")
	f.BoolVar(&o.verbose, "v", false, "with -seed: print the transcript")
	f.IntVar(&o.workers, "workers", 2, "how many at a time")
	f.IntVar(&o.stopAfter, "stop", 10, "stop after so many violations")
	f.StringVar(&o.breakName, "break", "", "plant this bug, or: list, all")
	if err := f.Parse(args); err != nil || f.NArg() > 0 || o.seeds < 1 || o.workers < 1 {
		return 2
	}
	switch {
	case o.breakName != "":
		return runBreaks(o)
	case o.seed != 0:
		return replay(o, os.Stdout)
	}
	return soak(o, os.Stdout)
}

type options struct {
	seeds, workers, stopAfter int
	first, seed               uint64
	verbose                   bool
	breakName                 string
}

// again is the command that replays a seed.
func again(seed uint64) string { return fmt.Sprintf("make soak SEED=%d", seed) }
