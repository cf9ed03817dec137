package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
)

// checker does what the options say, cycle by cycle.
type checker struct {
	*options
	out *report
	rt  *host.Runtime
	tr  *host.Trace
}

func (c *checker) check(ctx context.Context) (err error) {
	if c.trace != "" {
		closeTrace, openErr := c.openTrace()
		if openErr != nil {
			return openErr
		}
		defer func() { err = errors.Join(err, closeTrace()) }()
	}
	var opts []host.Option
	if c.engine != 0 {
		opts = append(opts, host.WithEngine(c.engine))
	}
	if c.rt, err = host.New(ctx, opts...); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.rt.Close()) }()
	for cycle := 1; ; cycle++ {
		rest, err := c.cycle(ctx)
		if err != nil || cycle == c.cycles || c.out.bad {
			return err
		}
		if err := sleep(ctx, rest); err != nil {
			return err
		}
	}
}

// openTrace starts the trace; what it answers ends it.
func (c *checker) openTrace() (func() error, error) {
	file, err := os.Create(c.trace)
	if err != nil {
		return nil, err
	}
	if c.tr, err = host.NewTrace(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() error { return errors.Join(c.tr.Err(), file.Close()) }, nil
}

// cycle allocates, echoes, holds and closes. It answers how long the local port
// has to rest.
func (c *checker) cycle(ctx context.Context) (rest time.Duration, err error) {
	user, pass := c.credentials()
	return c.visit(ctx, host.Config{
		URL: c.url, Username: user, Password: pass, AccessToken: c.token, Anonymous: c.anonymous,
		LocalAddr: c.local, Linger: lingerOf(c.linger), Family: c.family, Trace: c.tr,
		Keepalive: c.keepalive, EvenPort: c.evenPort, ReservationToken: c.reservation, DontFragment: c.dontFragment,
		Redirect: c.redirect, Mobility: c.mobility || c.rebindAt > 0, RelayTCP: c.relayTCP, UnsignedBind: c.unsignedBind,
		TLS: c.secured.config(), ServerName: c.serverName, NoALPN: c.noALPN,
	})
}

// visit does it with one server, and goes on to the one that a 300 names.
func (c *checker) visit(ctx context.Context, cfg host.Config) (rest time.Duration, err error) {
	begin := time.Now()
	conn, err := c.open(ctx, cfg)
	if err != nil {
		return 0, err
	}
	err = c.use(ctx, conn)
	next, elsewhere := cfg.Redirected(err)
	if err != nil && !elsewhere {
		c.out.failed(err)
	}
	if !c.closeEarly {
		begin = time.Now()
	}
	if err == nil && c.snapshot != "" {
		c.handOver(conn)
	}
	// With a signal or without: the linger bounds it.
	closed, err := conn.CloseWith(context.Background(), c.linger)
	if err != nil {
		return 0, err
	}
	for e := range conn.Events() { // those that nobody has read; it ends with the Conn
		c.out.option(e)
	}
	c.out.closed(closed, time.Since(begin))
	c.local = conn.Local().String() // the next cycle's too
	if elsewhere {
		return c.visit(ctx, next)
	}
	return closed.ReuseAfter, nil
}

// use does with the Conn what is asked for before its close.
func (c *checker) use(ctx context.Context, conn *host.Conn) error {
	if c.closeEarly {
		if err := conn.CloseAt(c.closeAt, c.linger); err != nil {
			return err
		}
		return c.afterCloseAt(ctx, conn, conn.Allocate(ctx))
	}
	begin := time.Now()
	if c.restore == "" {
		if err := conn.Allocate(ctx); err != nil {
			return interrupted(ctx, err)
		}
	}
	c.out.allocated(conn, time.Since(begin))
	if c.n > 0 {
		echo := c.echo
		if c.relayTCP {
			echo = c.echoTCP
		}
		if err := echo(ctx, conn); err != nil {
			return err
		}
	}
	if c.path {
		defer func() { c.out.path(conn.Stats()) }()
	}
	return c.keep(ctx, conn)
}

// lingerOf: to package host 0 is the default and negative is none.
func lingerOf(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

// afterCloseAt waits for the close that -close-at has begun. It may be that the
// state was never reached: the server refused before, or asked for no
// credentials.
func (c *checker) afterCloseAt(ctx context.Context, conn *host.Conn, err error) error {
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err == nil && c.closeAt != client.PhaseAllocated:
		return fmt.Errorf("the state %s was not reached before the allocation", c.closeAt)
	case err != nil && !errors.Is(err, net.ErrClosed):
		return err
	}
	<-conn.Done() // at the latest after the linger
	return nil
}

// keep holds the allocation; to end that by a signal is well.
func (c *checker) keep(ctx context.Context, conn *host.Conn) error {
	if c.hold == 0 {
		return nil
	}
	timer := time.NewTimer(c.hold)
	defer timer.Stop()
	for {
		select {
		case e, open := <-conn.Events():
			if !open {
				return nil
			}
			if err := c.lost(e); err != nil {
				return err
			}
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

var errInterrupted = errors.New("interrupted")

// interrupted says so when the context is what ended it.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w between two cycles", errInterrupted)
	}
}

// lost is the error when the event says that the allocation is gone or its
// credentials are.
func (c *checker) lost(e host.Event) error {
	c.out.option(e)
	switch e.Kind {
	case client.AllocationLost, client.CredentialsExpired:
		return &host.RequestError{Method: e.Method, Code: e.Code, Reason: e.Kind.String() + ": " + e.Reason, Signed: e.Signed, Until: e.Until}
	}
	return nil
}
