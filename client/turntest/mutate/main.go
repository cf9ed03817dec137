// Command mutate plants small faults in package client, one at a time, and
// counts those that its tests notice. It prints the survivors: each is a
// sentence of the code that no test holds.
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

func main() {
	dir := flag.String("dir", "client", "the package's folder")
	sample := flag.Int("n", 300, "how many mutants to try; 0 = all")
	seed := flag.Uint64("seed", 1, "which ones")
	least := flag.Float64("least", 0, "exit 1 when fewer percent are killed")
	workers := flag.Int("workers", 2, "tests at once")
	limit := flag.Duration("timeout", time.Minute, "a mutant whose tests run longer is killed")
	list := flag.Bool("list", false, "list the mutants and stop")
	flag.Parse()

	mutants, err := find(*dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	total := len(mutants)
	rand.New(rand.NewPCG(*seed, 0)).Shuffle(total, func(i, j int) { mutants[i], mutants[j] = mutants[j], mutants[i] })
	if *sample > 0 && *sample < total {
		mutants = mutants[:*sample]
	}
	if *list {
		for _, m := range mutants {
			fmt.Println(m)
		}
		return
	}
	killed, survivors := run(*dir, mutants, *workers, *limit)
	for _, m := range survivors {
		fmt.Println("survived:", m)
	}
	percent := 100 * float64(killed) / float64(killed+len(survivors))
	fmt.Printf("mutants %d of %d, killed %d, survived %d: %.1f %%\n", killed+len(survivors), total, killed, len(survivors), percent)
	if percent < *least {
		os.Exit(1)
	}
}

// run tries the mutants, several at once. Ones that do not compile are not
// counted.
func run(dir string, mutants []mutant, workers int, limit time.Duration) (killed int, survivors []mutant) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	work := make(chan mutant)
	for range workers {
		wg.Go(func() {
			for m := range work {
				v := m.try(dir, limit)
				mu.Lock()
				switch v {
				case dead:
					killed++
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
	for _, m := range mutants {
		work <- m
	}
	close(work)
	wg.Wait()
	return killed, survivors
}
