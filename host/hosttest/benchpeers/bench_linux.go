package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/turnwasm/turnwasm/host/hosttest"
	"github.com/turnwasm/turnwasm/host/hosttest/guestbench"
)

// bench is one run of the program.
type bench struct {
	out    io.Writer
	count  int // of rounds
	quick  bool
	chosen []ratio
	cells  []cell

	profiles string // a folder, "" for none

	coturn *hosttest.Coturn
	dir    string // for what is built and cached
	rounds []map[string]*result
	values []value
	module *moduleFacts
	guest  *guestbench.Guest
}

const (
	fullWarm, fullMeasure   = 300 * time.Millisecond, 700 * time.Millisecond
	quickWarm, quickMeasure = 50 * time.Millisecond, 100 * time.Millisecond
	tries                   = 3 // of a cell in a round, for the case that it is void
)

// choose keeps the ratios that were asked for and the cells that they need.
func (b *bench) choose(names []string) error {
	b.chosen, b.cells = ratios, cells
	if len(names) == 0 {
		return nil
	}
	b.chosen, b.cells = nil, nil
	var need []string
	for _, name := range names {
		i := slices.IndexFunc(ratios, func(q ratio) bool { return q.name == name })
		if i < 0 {
			return fmt.Errorf("no ratio is called %q", name)
		}
		b.chosen = append(b.chosen, ratios[i])
		need = append(append(need, ratios[i].over, ratios[i].under), ratios[i].needs...)
	}
	for _, c := range cells {
		if slices.Contains(need, c.name) {
			b.cells = append(b.cells, c)
		}
	}
	return nil
}

// run measures everything and prints it. Its error says that something could
// not be measured; a bound that is missed is none.
func (b *bench) run(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "turnwasm-benchpeers-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	cacheHome = b.dir
	b.printMachine()
	if err := b.startCoturn(ctx); err != nil {
		return err
	}
	if b.coturn != nil {
		defer b.coturn.Close()
	}
	for round := range b.count {
		if err := b.round(ctx, round); err != nil {
			return err
		}
	}
	b.printTable()
	b.remarkCoturn()
	if err := b.remarkUclient(ctx); err != nil {
		return err
	}
	return b.measureAll(ctx)
}

// startCoturn starts the real server. Without CI it may be missing.
func (b *bench) startCoturn(ctx context.Context) (err error) {
	if !slices.ContainsFunc(b.cells, func(c cell) bool { return c.coturn }) {
		return nil
	}
	if _, missing := exec.LookPath(hosttest.CoturnBinary); missing != nil && os.Getenv("CI") != "true" {
		fmt.Fprintln(b.out, "coturn is not installed (make deps installs it): its rows are left out")
		b.cells = slices.DeleteFunc(slices.Clone(b.cells), func(c cell) bool { return c.coturn })
		return nil
	}
	b.coturn, err = hosttest.StartCoturn(ctx)
	return err
}

// round runs every cell once, every other round in the opposite order.
func (b *bench) round(ctx context.Context, n int) error {
	results := make(map[string]*result)
	b.rounds = append(b.rounds, results)
	order := slices.Clone(b.cells)
	if n%2 == 1 {
		slices.Reverse(order)
	}
	for _, c := range order {
		r, err := b.cell(ctx, n, c)
		if err != nil {
			return fmt.Errorf("round %d, %s: %w", n+1, c.name, err)
		}
		if r != nil {
			results[c.name] = r
		}
	}
	return nil
}

// cell runs one cell until it counts; nil when it never does.
func (b *bench) cell(ctx context.Context, round int, c cell) (*result, error) {
	s := c.spec
	s.Warm, s.Measure = fullWarm, fullMeasure
	if b.quick {
		s.Warm, s.Measure = quickWarm, quickMeasure
	} else if s.receives() || s.Work == workPingPong {
		s.Measure *= 2 // most of it is waiting
	}
	if b.profiles != "" {
		s.Profile = filepath.Join(b.profiles, strings.NewReplacer(" ", "-", ",", "").Replace(c.name)+".pprof")
	}
	var server netip.AddrPort
	if c.coturn {
		server = b.coturn.Addr()
	}
	for range tries {
		r, err := run(ctx, s, server)
		if err != nil {
			return nil, err
		}
		b.printResult(round, c.name, r)
		if r.void() == "" {
			return r, nil
		}
	}
	return nil, nil
}

func (b *bench) measureAll(ctx context.Context) error {
	var failed error
	for _, q := range b.chosen {
		v, err := b.measure(ctx, q)
		if err != nil {
			fmt.Fprintf(b.out, "ratio %s could not be measured: %v\n", q.name, err)
			failed = errors.Join(failed, err)
			continue
		}
		b.values = append(b.values, v)
		fmt.Fprintf(b.out, "%s  [%s]\n", v, list(v.Rounds))
	}
	return failed
}
