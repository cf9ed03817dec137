package main

import (
	"context"
	"os"
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
	js      string // the folder of the npm package

	runtimes  map[host.Engine]*host.Runtime
	authority *ht.Authority
	results   [][]result // by row, by column
}

// certName is whom the servers' certificates are for. The runtimes dial this
// name; it is the machine's own everywhere.
const certName = "localhost"

func (m *matrix) run(ctx context.Context) (err error) {
	if m.authority, err = ht.NewAuthority(certName); err != nil {
		return err
	}
	m.runtimes = make(map[host.Engine]*host.Runtime)
	for _, e := range []host.Engine{host.Wasm, host.Native} {
		rt, err := host.New(ctx, host.WithEngine(e))
		if err != nil {
			return err
		}
		m.runtimes[e] = rt
		defer rt.Close() // every cell has closed its own
	}
	slots := make(chan struct{}, m.workers)
	var wg sync.WaitGroup
	m.results = make([][]result, len(m.rows))
	for i := range m.rows {
		m.results[i] = make([]result, len(m.columns))
		for j := range m.columns {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				m.results[i][j] = m.play(ctx, &m.rows[i], m.columns[j])
			})
		}
	}
	wg.Wait()
	return ctx.Err()
}

// cellTime is far more than a cell needs.
const cellTime = 40 * time.Second

// play runs one cell and judges it.
func (m *matrix) play(ctx context.Context, r *row, col column) result {
	if col.engine == 0 && !r.js {
		return result{state: none}
	}
	if !r.has(col.server) {
		return judge(r.name, col.server.name, errNoMeans)
	}
	ctx, cancel := context.WithTimeout(ctx, cellTime)
	defer cancel()
	dir, err := os.MkdirTemp("", "turnwasm-interop-")
	if err != nil {
		return judge(r.name, col.server.name, err)
	}
	defer os.RemoveAll(dir)
	c := &cell{
		row: r, column: col, runtime: m.runtimes[col.engine], authority: m.authority, dir: dir,
		flags: r.flags, pion: r.pion, config: host.Config{Username: ht.Username, Password: ht.Password},
	}
	defer c.end()
	out := judge(r.name, col.server.name, c.play(ctx))
	if c.proxy != nil {
		out.log = c.proxy.Log()
	}
	return out
}
