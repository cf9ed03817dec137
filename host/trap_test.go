package host

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// TestManyConnsOfATrappedInstance: a real trap, which only a module built for
// this test has. Each Conn of that instance gets its verdict, its parting
// datagram releases the allocation, and nobody else notices.
func TestManyConnsOfATrappedInstance(t *testing.T) {
	ctx := t.Context()
	file := filepath.Join(t.TempDir(), "trap.wasm")
	build := exec.CommandContext(ctx, "go", "run", "../wasm/internal/build", "-tags", "turntrap", "-o", file)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	module, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	engines, err := newWazeroEngines(ctx, wazeroOptions{module: module, cacheDir: t.TempDir(), rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	testTrap(t, engines, func(e engine) {
		w := e.(*wazeroEngine)
		if err := w.call("turn_trap", w.module.ExportedFunction("turn_trap")); err == nil {
			t.Fatal("turn_trap does not trap")
		}
	})
}

func TestManyConnsOfABrokenNativeInstance(t *testing.T) {
	testTrap(t, nativeEngines{rand: rand.Reader}, func(e engine) {
		e.(*nativeEngine).dead = errors.New("planted")
	})
}

func testTrap(t *testing.T, engines engineFactory, trap func(engine)) {
	rt, err := New(t.Context(), WithEngine(Native), WithInstances(1), WithClientsPerInstance(3))
	if err != nil {
		t.Fatal(err)
	}
	rt.engines = engines
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	dial := func() *Conn {
		t.Helper()
		c, err := rt.Dial(t.Context(), Config{
			URL: "turn:" + server.Addr().String(), Username: hosttest.Username, Password: hosttest.Password,
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	conns := []*Conn{dial(), dial(), dial(), dial(), dial()}
	doomed, others := conns[:3], conns[3:]
	if doomed[0].driver != doomed[2].driver || doomed[0].driver == others[0].driver {
		t.Fatal("want three Conns in the first instance, the others in another one")
	}
	d := doomed[0].driver
	d.mu.Lock()
	trap(d.eng)
	d.mu.Unlock()

	if err := doomed[1].Refresh(t.Context()); !errors.Is(err, ErrTrapped) {
		t.Errorf("Refresh: %v, want ErrTrapped", err)
	}
	for _, c := range doomed {
		wantTrapped(t, c)
	}
	wantHeld(t, server, 2)
	for _, c := range append(others, dial()) {
		if err := c.Refresh(t.Context()); err != nil {
			t.Errorf("a Conn of another instance: %v", err)
		}
	}
	wantHeld(t, server, 3)
	if err := rt.Close(); err != nil {
		t.Errorf("Runtime.Close: %v", err)
	}
	wantHeld(t, server, 0)
}

func wantTrapped(t *testing.T, c *Conn) {
	t.Helper()
	<-c.Done()
	closed, err := c.CloseWith(t.Context(), time.Second)
	if err != nil || closed.Outcome != client.Unconfirmed || closed.Reason != "trapped" {
		t.Errorf("the verdict is %+v, %v, want unconfirmed, trapped", closed, err)
	}
	if left := time.Until(closed.Until); left < 9*time.Minute || left > 10*time.Minute {
		t.Errorf("Until is in %v, want the lifetime of 10 minutes", left)
	}
	if _, _, err := c.ReadFrom(make([]byte, 1)); !errors.Is(err, ErrTrapped) {
		t.Errorf("ReadFrom: %v, want ErrTrapped", err)
	}
	var last Event
	for last = range c.Events() {
	}
	if last.Kind != client.Closed || last.verdict() != closed {
		t.Errorf("the last event is %v, want the verdict", last)
	}
}

func wantHeld(t *testing.T, s hosttest.Server, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second) // in a cleanup too
	defer cancel()
	if n, err := hosttest.AwaitHeld(ctx, s, want); err != nil || n != want {
		t.Fatalf("the server holds %d allocations (%v), want %d", n, err, want)
	}
}
