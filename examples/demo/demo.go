package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
	"github.com/turnwasm/turnwasm/wasm"
)

// demo is the stage: a server, a peer, the proxy that reads the wire, and the
// client that the story is about.
type demo struct {
	ctx    context.Context
	out    io.Writer
	server *hosttest.Pion
	peer   *hosttest.Echo
	proxy  *hosttest.Proxy
	rt     *host.Runtime
	conn   *host.Conn
	seen   int // records of the proxy's log that were told of
}

// tell prints a line of the story.
func (d *demo) tell(what, format string, args ...any) {
	fmt.Fprintf(d.out, "%-11s %s\n", what, fmt.Sprintf(format, args...))
}

func (d *demo) start(engine host.Engine, fault hosttest.Fault) (err error) {
	if d.server, err = hosttest.StartPion(hosttest.PionOptions{}); err != nil {
		return err
	}
	if d.peer, err = hosttest.StartEcho(netip.Addr{}); err != nil {
		return err
	}
	if d.proxy, err = hosttest.StartProxy(d.server.Addr()); err != nil {
		return err
	}
	d.proxy.SetFault(fault)
	if err := d.wantHeld(0); err != nil {
		return err
	}
	d.tell("server", "pion/turn on %s, holds 0 allocations", d.server.Addr())
	begin := time.Now()
	if d.rt, err = host.New(d.ctx, host.WithEngine(engine)); err != nil {
		return err
	}
	d.tell("module", "turn.wasm, %d bytes; engine %s ready in %d ms", len(wasm.Module()), d.rt.Engine(), time.Since(begin).Milliseconds())
	return nil
}

// stop ends what was started; a Conn that is still open is released by the
// Runtime's Close.
func (d *demo) stop() error {
	var all []error
	if d.rt != nil {
		all = append(all, d.rt.Close())
	}
	if d.proxy != nil {
		all = append(all, d.proxy.Close())
	}
	if d.peer != nil {
		all = append(all, d.peer.Close())
	}
	if d.server != nil {
		all = append(all, d.server.Close())
	}
	return errors.Join(all...)
}

func (d *demo) wantHeld(want int) error {
	ctx, cancel := context.WithTimeout(d.ctx, 3*time.Second)
	defer cancel()
	n, err := hosttest.AwaitHeld(ctx, d.server, want)
	if err == nil && n != want {
		err = fmt.Errorf("the server holds %d allocations, not %d", n, want)
	}
	return err
}

// wire waits for a message that this step has brought.
func (d *demo) wire(what string, match hosttest.Match) (hosttest.Record, error) {
	ctx, cancel := context.WithTimeout(d.ctx, 3*time.Second)
	defer cancel()
	r, err := d.proxy.AwaitAfter(ctx, d.seen, func(r hosttest.Record) bool { return match(r.Passage) })
	if err != nil {
		return r, fmt.Errorf("no %s on the wire", what)
	}
	return r, nil
}

// stepTime is far more than a step needs; the longest lets a port rest for 2 s.
const stepTime = 8 * time.Second

// play carries out a step. What comes by afterwards belongs to the next one.
func (d *demo) play(step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(d.ctx, stepTime)
	defer cancel()
	err := step(ctx)
	d.seen = len(d.proxy.Log())
	return err
}
