// Command mutate plants small faults in package client, one at a time, and
// counts those that its tests notice. It prints the survivors: each is a
// sentence of the code that no test holds. And it prints the rows of PROTOCOL.md
// whose tests have noticed none: with -n 0, those that hold nothing.
//
// The faults reach the compiler through an overlay: no source is touched.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

// trial is what a run is asked for.
type trial struct {
	dir     string
	workers int
	limit   time.Duration
	least   float64
	total   int // mutants that there are
	mutants []mutant
}

func main() {
	var t trial
	flag.StringVar(&t.dir, "dir", "client", "the package's folder")
	sample := flag.Int("n", 300, "how many mutants to try; 0 = all")
	seed := flag.Uint64("seed", 1, "which ones")
	flag.Float64Var(&t.least, "least", 0, "exit 1 when fewer percent are killed")
	flag.IntVar(&t.workers, "workers", 2, "tests at once")
	flag.DurationVar(&t.limit, "timeout", time.Minute, "a mutant whose tests run longer is killed")
	list := flag.Bool("list", false, "list the mutants and stop")
	flag.Parse()

	well, err := true, t.pick(*sample, *seed)
	switch {
	case err != nil:
	case *list:
		for _, m := range t.mutants {
			fmt.Println(m)
		}
	default:
		well, err = t.judge()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if !well {
		os.Exit(1)
	}
}

func (t *trial) pick(sample int, seed uint64) (err error) {
	if t.mutants, err = find(t.dir); err != nil {
		return err
	}
	t.total = len(t.mutants)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(t.total, func(i, j int) { t.mutants[i], t.mutants[j] = t.mutants[j], t.mutants[i] })
	if sample > 0 && sample < t.total {
		t.mutants = t.mutants[:sample]
	}
	return nil
}

// judge tries the mutants, says what came of it, and whether enough were killed.
func (t *trial) judge() (well bool, err error) {
	tests, err := testsOf(t.dir, t.limit)
	if err != nil {
		return false, err
	}
	rows := newTally(tests)
	killed, survivors := t.run(rows)
	for _, m := range survivors {
		fmt.Println("survived:", m)
	}
	tried := killed + len(survivors)
	percent := 100 * float64(killed) / float64(tried)
	err = rows.report(os.Stdout, t.dir, killed)
	fmt.Printf("mutants %d of %d, killed %d, survived %d: %.1f %%\n", tried, t.total, killed, len(survivors), percent)
	return percent >= t.least, err
}

// run tries the mutants, several at once. Ones that do not compile are not
// counted.
func (t *trial) run(rows tally) (killed int, survivors []mutant) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	work := make(chan mutant)
	for range t.workers {
		wg.Go(func() {
			for m := range work {
				v, failed := m.try(t.dir, t.limit)
				mu.Lock()
				switch v {
				case dead:
					killed++
					rows.kill(failed)
				case alive:
					survivors = append(survivors, m)
				}
				if n := killed + len(survivors); n%20 == 0 {
					fmt.Fprintf(os.Stderr, "%d tried, %d killed\n", n, killed)
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range t.mutants {
		work <- m
	}
	close(work)
	wg.Wait()
	return killed, survivors
}
