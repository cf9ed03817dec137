package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/turnwasm/turnwasm/client"
)

// pool is a Runtime whose clients send nothing.
type pool struct {
	*Runtime
	t *testing.T
}

func newPool(t *testing.T, opts ...Option) *pool {
	t.Helper()
	rt, err := New(t.Context(), append([]Option{WithEngine(Native)}, opts...)...)
	must(t, err)
	t.Cleanup(func() { must(t, rt.Close()) })
	return &pool{rt, t}
}

func (p *pool) open() *Conn {
	p.t.Helper()
	c, err := p.Open(p.t.Context(), Config{URL: "turn:127.0.0.1:3478"})
	must(p.t, err)
	return c
}

func (p *pool) openSome(n int) (cs []*Conn) {
	p.t.Helper()
	for range n {
		cs = append(cs, p.open())
	}
	return cs
}

// want compares how many clients are in the instances, the fullest last.
func (p *pool) want(loads ...int) {
	p.t.Helper()
	p.placing.Lock()
	defer p.placing.Unlock()
	var got []int
	for _, d := range p.drivers {
		got = append(got, d.load())
	}
	slices.Sort(got)
	if !slices.Equal(got, loads) {
		p.t.Fatalf("the instances have %v clients, want %v", got, loads)
	}
}

func TestPoolSpreads(t *testing.T) {
	p := newPool(t, WithInstances(3))
	p.want()
	p.open()
	p.want(1)
	p.openSome(2)
	p.want(1, 1, 1)
	p.openSome(4)
	p.want(2, 2, 3)
}

func TestPoolTakesTheLeastLoaded(t *testing.T) {
	p := newPool(t, WithInstances(2))
	cs := p.openSome(6)
	p.want(3, 3)
	first := cs[0].driver
	for _, c := range cs {
		if c.driver == first {
			must(t, c.Close())
		}
	}
	p.want(0, 3)
	for range 3 {
		if c := p.open(); c.driver != first {
			t.Error("a client went to the fuller instance")
		}
	}
	p.want(3, 3)
}

// TestPoolDoesNotGrowInVain: an instance that is empty is as good as a new one.
func TestPoolDoesNotGrowInVain(t *testing.T) {
	p := newPool(t, WithInstances(4))
	for range 5 {
		must(t, p.open().Close())
	}
	p.want(0)
}

func TestPoolDefaultIsOneForEachProcessor(t *testing.T) {
	n := runtime.GOMAXPROCS(0)
	p := newPool(t)
	p.openSome(2 * n)
	p.want(slices.Repeat([]int{2}, n)...)
}

func TestPoolGrowsWhenAllAreFull(t *testing.T) {
	p := newPool(t, WithInstances(2), WithClientsPerInstance(2))
	p.openSome(5)
	p.want(1, 2, 2)
	p.openSome(1)
	p.want(2, 2, 2)
}

func TestPoolBuriesTheDead(t *testing.T) {
	p := newPool(t, WithInstances(2))
	dead := p.openSome(4)[0].driver
	dead.kill("planted", errors.New("planted"))
	p.want(0, 2)
	p.open()
	p.want(1, 2)
	if slices.Contains(p.drivers, dead) {
		t.Error("the dead instance is still there")
	}
}

// scarce makes so many engines and no more.
type scarce struct {
	engineFactory
	left int
}

var errScarce = errors.New("no memory for another instance")

func (s *scarce) instantiate(ctx context.Context) (engine, error) {
	if s.left--; s.left < 0 {
		return nil, errScarce
	}
	return s.engineFactory.instantiate(ctx)
}

func TestPoolWithoutMemory(t *testing.T) {
	p := newPool(t, WithInstances(3), WithClientsPerInstance(4))
	p.engines = &scarce{p.engines, 2}
	p.openSome(8)
	p.want(4, 4)
	_, err := p.Open(t.Context(), Config{URL: "turn:127.0.0.1:3478"})
	if !errors.Is(err, errScarce) || errors.Is(err, client.ErrLimit) {
		t.Errorf("when all are full and there is no memory: %v", err)
	}
	if _, is := errors.AsType[*net.OpError](err); !is {
		t.Errorf("the error is a %T", err)
	}
	p.want(4, 4)
}

func TestPoolManyAtOnce(t *testing.T) {
	p := newPool(t, WithInstances(3))
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for range 10 {
				c, err := p.Open(t.Context(), Config{URL: "turn:127.0.0.1:3478"})
				if err == nil {
					err = c.Close()
				}
				if err != nil {
					t.Error(fmt.Errorf("open and close: %w", err))
				}
			}
		})
	}
	all.Wait()
	if n := len(p.drivers); n < 1 || n > 3 {
		t.Errorf("there are %d instances", n)
	}
}
