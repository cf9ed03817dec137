package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/turnwasm/turnwasm/host"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// matrix runs the cells and keeps what they came to.
type matrix struct {
	rows    []row
	columns []column
	workers int

	runtimes map[host.Engine]*host.Runtime
	results  [][]outcome // by row, by column
}

// outcome is a cell's result, or why there is none, and what went over the wire.
type outcome struct {
	result
	err error
	log []ht.Record
}

func (o outcome) String() string {
	if o.err != nil {
		return "failed"
	}
	return o.result.String()
}

func (m *matrix) run(ctx context.Context) (err error) {
	m.runtimes = make(map[host.Engine]*host.Runtime)
	for _, c := range m.columns {
		if c.engine == 0 || m.runtimes[c.engine] != nil {
			continue
		}
		rt, err := host.New(ctx, host.WithEngine(c.engine))
		if err != nil {
			return err
		}
		m.runtimes[c.engine] = rt
		defer rt.Close() // what is still open there was counted
	}
	m.results = make([][]outcome, len(m.rows))
	slots := make(chan struct{}, m.workers)
	var wg sync.WaitGroup
	for i := range m.rows {
		m.results[i] = make([]outcome, len(m.columns))
		for j := range m.columns {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				m.results[i][j] = m.cell(ctx, &m.rows[i], m.columns[j])
			})
		}
	}
	wg.Wait()
	return ctx.Err()
}

// cellTime is far more than a cell needs: the longest linger and two graces.
const cellTime = 40 * time.Second

// cell sets up a server and a proxy of its own for one run.
func (m *matrix) cell(ctx context.Context, r *row, col column) (o outcome) {
	ctx, cancel := context.WithTimeout(ctx, cellTime)
	defer cancel()
	server, err := col.start(ctx)
	if err != nil {
		return outcome{err: err}
	}
	defer server.Close()
	proxy, err := ht.StartProxy(server.Addr())
	if err != nil {
		return outcome{err: err}
	}
	defer proxy.Close()
	rt, trap := m.runtimes[col.engine], (*mine)(nil)
	if r.trap && col.engine != 0 {
		if rt, trap, err = mined(ctx, col.engine); err != nil {
			return outcome{err: err}
		}
		defer rt.Close()
	}
	c := cell{row: r, server: server, proxy: proxy}
	c.make = func(server, local netip.AddrPort) (subject, error) {
		if col.engine == 0 {
			return newTheirs(proxy, server, local)
		}
		o := newOurs(rt, proxy, server, local)
		o.mine = trap
		return o, nil
	}
	o.result, o.err = c.play(ctx)
	o.log = proxy.Log()
	return o
}

// print shows the table, what differs from want and what leaked, and answers
// whether all is well. The comparison's columns are shown and not judged: what
// they come to depends on who is faster.
func (m *matrix) print(out io.Writer, want table) bool {
	m.table().write(out)
	well := true
	var ours, theirs tally
	for i, r := range m.rows {
		for j, col := range m.columns {
			got := m.results[i][j]
			if got.err != nil {
				fmt.Fprintf(out, "FAILED: %s, %s: %v\n", r.name, col, got.err)
			}
			if col.engine == 0 {
				theirs.add(got)
				continue
			}
			ours.add(got)
			if expected := want.cell(r.name, col.String()); got.String() != expected {
				fmt.Fprintf(out, "DIFFERS: %s, %s: %s, want %s\n", r.name, col, got, expected)
				wire(out, got.log)
				well = false
			}
		}
	}
	if theirs.cells > 0 {
		fmt.Fprintf(out, "pion/turn's own client leaked %d of %d\n", theirs.leaked, theirs.cells)
	}
	fmt.Fprintf(out, "leaked %d of %d\n", ours.leaked, ours.cells)
	return well && ours.leaked == 0
}

// tally counts the cells that were run to their end.
type tally struct{ leaked, cells int }

func (t *tally) add(o outcome) {
	if o.err != nil || o.outcome == "" {
		return
	}
	t.cells++
	if o.leaked() {
		t.leaked++
	}
}

// wire prints what the proxy saw, and what it did to it.
func wire(out io.Writer, log []ht.Record) {
	for _, r := range log {
		arrow := "<-"
		if r.ToServer {
			arrow = "->"
		}
		line := fmt.Sprintf("  %6.3f s %s %s", r.At.Sub(log[0].At).Seconds(), arrow, r)
		switch {
		case r.Forged:
			line += " (forged)"
		case r.Drop:
			line += " (lost)"
		case r.Delay != 0:
			line += " (late by " + r.Delay.String() + ")"
		case r.Twice:
			line += " (twice)"
		}
		fmt.Fprintln(out, line)
	}
}
