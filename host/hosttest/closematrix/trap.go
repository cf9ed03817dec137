package main

import (
	"context"
	"crypto/rand"
	"sync/atomic"

	"github.com/turnwasm/turnwasm/host"
)

// mine is an entropy source that is a mine: when it is armed, the next
// transaction ID that the module asks for blows up inside the call, and no
// recovery of the module's reaches it. To the host that is a trap like any
// other. In the native engine it is the machine's own panic.
type mine struct{ armed atomic.Bool }

func (m *mine) Read(b []byte) (int, error) {
	if m.armed.Load() {
		panic("planted trap")
	}
	return rand.Read(b)
}

// mined makes a Runtime of its own for one cell.
func mined(ctx context.Context, engine host.Engine) (*host.Runtime, *mine, error) {
	m := new(mine)
	rt, err := host.New(ctx, host.WithEngine(engine), host.WithRandSource(m))
	return rt, m, err
}
