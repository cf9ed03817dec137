package host

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host/hosttest"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// liar is an engine whose answers go wrong once lie is set, as those of a
// corrupt instance might.
type liar struct {
	engine
	lie func(e *liar) (outs int32)
}

func (e *liar) poll() (int32, error) {
	if e.lie != nil {
		return e.lie(e), nil
	}
	return e.engine.poll()
}

func (e *liar) tick(now float64) (float64, error) {
	next, err := e.engine.tick(now)
	e.pending(e.lie != nil)
	return next, err
}

func (e *liar) close(now float64, h int32, linger float64) (int32, error) {
	if e.lie != nil {
		return 0, nil // and does nothing
	}
	return e.engine.close(now, h, linger)
}

func (e *liar) pending(yes bool) { abi.Header(e.region()).SetPending(yes) }

// descriptor answers one descriptor.
func (e *liar) descriptor(d abi.Desc) int32 {
	layout, _ := abi.LoadLayout(e.region())
	d.Store(layout.Out.At(e.region(), 0))
	return 1
}

type liars struct {
	nativeEngines
	made *liar
}

func (f *liars) instantiate(ctx context.Context) (engine, error) {
	e, err := f.nativeEngines.instantiate(ctx)
	f.made = &liar{engine: e}
	return f.made, err
}

// liarConn is a Conn with an allocation, in an engine that can be made to lie.
func liarConn(t *testing.T) (*Runtime, *Conn, *liar) {
	t.Helper()
	rt, err := New(t.Context(), WithEngine(Native))
	if err != nil {
		t.Fatal(err)
	}
	made := &liars{nativeEngines: nativeEngines{rand: rand.Reader}}
	rt.engines = made
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	c, err := rt.Dial(t.Context(), Config{
		URL: "turn:" + server.Addr().String(), Username: hosttest.Username, Password: hosttest.Password, Linger: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		rt.Close()
		wantHeld(t, server, 0) // its parting datagram has released it
	})
	return rt, c, made.made
}

func TestLyingEngineIsTakenForDead(t *testing.T) {
	for name, lie := range map[string]func(e *liar, h int32) int32{
		"outside of the region": func(e *liar, h int32) int32 {
			return e.descriptor(abi.Desc{Client: h, Kind: abi.KindTransmit, Offset: 0xFFFFFFF0, Length: 0xFFFFFFF0, Count: 1})
		},
		"a run that goes on for ever": func(e *liar, h int32) int32 {
			return e.descriptor(abi.Desc{Client: h, Kind: abi.KindData, Count: 0xFFFFFFFF})
		},
		"more descriptors than there are": func(*liar, int32) int32 { return 1 << 20 },
		"no event": func(e *liar, h int32) int32 {
			return e.descriptor(abi.Desc{Client: h, Kind: abi.KindEvent, Length: 3, Count: 1})
		},
		"no end": func(*liar, int32) int32 { return 0 },
	} {
		t.Run(name, func(t *testing.T) {
			_, c, e := liarConn(t)
			c.driver.mu.Lock()
			e.lie = func(e *liar) int32 { return lie(e, c.handle) }
			c.driver.mu.Unlock()
			c.driver.tick()
			<-c.Done()
			closed, err := c.CloseWith(t.Context(), 0)
			if err != nil || closed.Reason != "trapped" || closed.Outcome != client.Unconfirmed {
				t.Errorf("the verdict is %+v, %v, want unconfirmed, trapped", closed, err)
			}
			if err := c.Refresh(t.Context()); !errors.Is(err, ErrTrapped) {
				t.Errorf("Refresh: %v, want ErrTrapped", err)
			}
		})
	}
}

// A machine that never closes cannot hold up the Runtime.
func TestRuntimeCloseIsBounded(t *testing.T) {
	rt, c, e := liarConn(t)
	c.driver.mu.Lock()
	e.lie = func(e *liar) int32 { e.pending(false); return 0 }
	c.driver.mu.Unlock()
	start := time.Now()
	failed, is := errors.AsType[*CloseError](rt.Close())
	if took := time.Since(start); took > guard+2*time.Second {
		t.Errorf("it took %v, want no more than %v", took, guard)
	}
	if !is || failed.Closed.Reason != "runtime closed" || failed.Closed.Outcome != client.Unconfirmed {
		t.Errorf("the error is %v, want unconfirmed, runtime closed", failed)
	}
}

// What the machine says of a config goes into the error.
func TestRefusedConfigSaysWhy(t *testing.T) {
	rt, err := New(t.Context(), WithEngine(Native))
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	_, err = rt.Dial(t.Context(), Config{URL: "turn:127.0.0.1:9", Username: "u", Password: "p", Family: 9})
	if !errors.Is(err, client.ErrConfig) || !strings.Contains(err.Error(), "Family") {
		t.Errorf("the error is %v, want client.ErrConfig that names the Family", err)
	}
}
