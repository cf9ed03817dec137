package host

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// Runtime makes Conns. It compiles the module once and keeps the instances.
type Runtime struct {
	options options
	clock   clock
	engines engineFactory
	resting resting
	trips   trips
	running sync.WaitGroup // Dials, and the Conns' goroutines
	ending  context.Context
	end     context.CancelCauseFunc

	placing sync.Mutex // taken before an instance's lock
	drivers []*driver  // guarded by placing

	closing sync.Once

	mu     sync.Mutex // taken last
	closed bool
	conns  map[*Conn]struct{}
}

// New makes a Runtime. The context is for the compilation alone.
func New(ctx context.Context, opts ...Option) (*Runtime, error) {
	o := options{log: slog.New(slog.DiscardHandler)}
	for _, apply := range opts {
		apply(&o)
	}
	engines, err := newEngines(ctx, &o)
	if err != nil {
		return nil, err
	}
	rt := &Runtime{options: o, clock: clock{time.Now()}, engines: engines, conns: make(map[*Conn]struct{})}
	rt.ending, rt.end = context.WithCancelCause(context.Background())
	return rt, nil
}

// within is the context of a Dial, which the Runtime's Close ends, too, and then
// waits for. The function is called at the Dial's end.
func (rt *Runtime) within(ctx context.Context) (context.Context, func(), error) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.closed {
		return nil, nil, net.ErrClosed
	}
	rt.running.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(rt.ending, func() { cancel(net.ErrClosed) })
	return ctx, func() { stop(); cancel(nil); rt.running.Done() }, nil
}

// dialled is what a Dial under the context of within answers.
func dialled(ctx context.Context, c *Conn, err error) (*Conn, error) {
	if err != nil && context.Cause(ctx) == net.ErrClosed {
		err = dialError(netip.AddrPort{}, net.ErrClosed)
	}
	return c, err
}

// Engine is what runs the machine.
func (rt *Runtime) Engine() Engine { return rt.options.engine }

// add makes the client in an instance that has room, or in a new one.
func (rt *Runtime) add(ctx context.Context, s settings, t *transport) (*Conn, error) {
	return rt.addOf(ctx, s, t, nil)
}

// addOf makes the client of a snapshot, unless from is nil.
func (rt *Runtime) addOf(ctx context.Context, s settings, t *transport, from *saved) (*Conn, error) {
	rt.placing.Lock()
	defer rt.placing.Unlock()
	if rt.isClosed() {
		return nil, net.ErrClosed
	}
	c := newConn(rt, s, t)
	if err := rt.place(ctx, c, t, from); err != nil {
		return nil, err
	}
	c.settings.Password, c.settings.AccessToken = "", nil // the machine has them now
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.conns[c] = struct{}{}
	return c, nil
}

// place puts the client into an instance that is empty, into a new one as long
// as there are not as many as asked for, into the one that has the fewest
// clients, or, when all are full, into a new one after all.
func (rt *Runtime) place(ctx context.Context, c *Conn, t *transport, from *saved) error {
	rt.drivers = slices.DeleteFunc(rt.drivers, (*driver).maybeBury)
	empty := rt.sortByLoad()
	spread := !empty && len(rt.drivers) < rt.options.mostInstances()
	if spread && rt.grow(ctx) == nil {
		// The new one is asked first. That there is no memory for one is no
		// reason to refuse a client that fits into another.
		last := len(rt.drivers) - 1
		rt.drivers[0], rt.drivers[last] = rt.drivers[last], rt.drivers[0]
	}
	for _, d := range rt.drivers {
		err := d.add(c, t, from, rt.options.perInstance)
		if !errors.Is(err, client.ErrLimit) && !errors.Is(err, ErrTrapped) {
			return err
		}
	}
	if err := rt.grow(ctx); err != nil {
		return err
	}
	return rt.drivers[len(rt.drivers)-1].add(c, t, from, rt.options.perInstance)
}

// sortByLoad puts the instances with the fewest clients first, and says whether
// there is one without any.
func (rt *Runtime) sortByLoad() (empty bool) {
	load := make(map[*driver]int, len(rt.drivers))
	for _, d := range rt.drivers {
		load[d] = d.load()
		empty = empty || load[d] == 0
	}
	slices.SortStableFunc(rt.drivers, func(a, b *driver) int { return cmp.Compare(load[a], load[b]) })
	return empty
}

// grow adds an instance.
func (rt *Runtime) grow(ctx context.Context) error {
	d, err := rt.newDriver(ctx)
	if err == nil {
		rt.drivers = append(rt.drivers, d)
	}
	return err
}

func (rt *Runtime) newDriver(ctx context.Context) (*driver, error) {
	eng, err := rt.engines.instantiate(ctx)
	if err != nil {
		return nil, err
	}
	d, err := newDriver(eng, rt.clock, rt.options.log)
	if err != nil {
		return nil, errors.Join(err, eng.shut(ctx))
	}
	return d, nil
}

func (rt *Runtime) isClosed() bool {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	return rt.closed
}

// forget is called when c is done.
func (rt *Runtime) forget(c *Conn) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	delete(rt.conns, c)
}

// guard is how much longer than the longest linger Close waits.
const guard = 3 * time.Second

// Close closes every Conn that is still open, each as its own Close would,
// waits for them and for what ended Dials left to do, and gives everything
// back. It is bounded by the longest linger. Its error joins those of the Conns
// that nobody closed before, and of the Dials that their context ended.
// A second call waits for the first one and answers nil.
func (rt *Runtime) Close() (err error) {
	rt.closing.Do(func() { err = rt.close() })
	return err
}

func (rt *Runtime) close() error {
	err := rt.closeAll(rt.shutDoor())
	for _, d := range rt.drivers {
		err = errors.Join(err, d.shut())
	}
	rt.running.Wait()
	return errors.Join(err, rt.engines.shut(context.Background()))
}

// shutDoor lets nobody in any more and answers who is there.
func (rt *Runtime) shutDoor() []*Conn {
	rt.placing.Lock()
	defer rt.placing.Unlock()
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.closed = true
	rt.end(net.ErrClosed)
	return slices.Collect(maps.Keys(rt.conns))
}

func (rt *Runtime) closeAll(open []*Conn) error {
	var longest time.Duration
	var begun sync.WaitGroup
	for _, c := range open {
		linger := max(0, c.settings.Linger)
		longest = max(longest, linger)
		begun.Go(func() { c.beginClose(linger) }) // each waits for what was written before
	}
	begun.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), longest+guard)
	defer cancel()
	var all []error
	for _, c := range open {
		select {
		case <-c.done:
		case <-ctx.Done():
			c.driver.kill("runtime closed", ctx.Err())
		}
		<-c.done
		if !c.told.Load() {
			all = append(all, c.verdict.err())
		}
	}
	return errors.Join(all...)
}
