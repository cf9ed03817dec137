package main

import (
	"context"
	"os"

	"github.com/turnwasm/turnwasm/host"
)

// open makes the Conn, or takes up what another run has handed over.
func (c *checker) open(ctx context.Context, cfg host.Config) (*host.Conn, error) {
	if c.restore == "" {
		return c.rt.Open(ctx, cfg)
	}
	sealed, err := os.ReadFile(c.restore)
	if err != nil {
		return nil, err
	}
	return c.rt.Restore(ctx, sealed, c.sealKey, cfg)
}

// handOver leaves the allocation to another run, with -restore. A failure leaves
// it to the close.
func (c *checker) handOver(conn *host.Conn) {
	file, err := os.OpenFile(c.snapshot, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		c.out.failed(err)
		return
	}
	sealed, err := conn.HandOver(c.sealKey)
	if err == nil {
		_, err = file.Write(sealed)
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		c.out.failed(err)
	}
}
