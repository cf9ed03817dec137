package main

import (
	"context"
	"time"
)

// maybeMove moves the allocation to another local port when it is the turn of
// payload -rebind-at. What is still under way comes on the way that it began on,
// or not at all.
func (e *echoRun) maybeMove(ctx context.Context, i int) error {
	if e.rebindAt == 0 || i != e.rebindAt {
		return nil
	}
	relayed, begin := e.conn.Relayed(), time.Now()
	if err := e.conn.Rebind(ctx); err != nil {
		return err
	}
	e.out.moved(e.conn, relayed == e.conn.Relayed(), time.Since(begin))
	return nil
}
