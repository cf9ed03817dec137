package instance_test

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/abitest"
)

// faulty is a random source with a bug: it panics when it is told to, in the
// middle of whatever the machine is doing.
type faulty struct{ armed bool }

func (f *faulty) Read(p []byte) (int, error) {
	if f.armed {
		f.armed = false
		var none []byte
		_ = none[len(p)] // a runtime error, as a real bug is
	}
	return rand.Read(p)
}

// joinFaulty is World.Join without a seed, so that the instance's source serves.
func joinFaulty(w *abitest.World) int32 {
	h := w.MustOpen(abitest.Config(), nil)
	w.Servers[h] = turntest.NewServer(turntest.ServerConfig{
		Addr: abitest.ServerAddr, Users: map[string]string{"alice": abitest.Secret},
	})
	return h
}

func faultyWorld(t *testing.T) (*abitest.World, *faulty) {
	t.Helper()
	f := &faulty{}
	in, region := newInstance(abi.DefaultLayout(), f)
	return abitest.NewWorld(t, in, region), f
}

func last(events []client.Event) client.Event { return events[len(events)-1] }

func TestPanicInABatchClosesThatClientAlone(t *testing.T) {
	w, f := faultyWorld(t)
	a, b := joinFaulty(w), joinFaulty(w)
	for _, h := range []int32{a, b} {
		w.Order(h, abi.Command{Cmd: abi.CmdAllocate})
		w.Order(h, abi.Command{Cmd: abi.CmdCreatePermission, Peers: peers()})
	}
	// Send indications draw a transaction ID each: the first one panics.
	for i, h := range []int32{a, a, b} {
		put(w, i, abi.Desc{Client: h, Kind: abi.KindSend, Addr: abitest.Peer}, uint32(i)*1024+64, "hello")
	}
	f.armed = true
	outs := w.Read(w.Send(0, 3))
	for i, want := range []abi.Code{abi.CodePanic, abi.CodePanic, abi.CodeOK} {
		if got := status(w, i); got != want {
			t.Errorf("item %d: %d, want %d", i, got, want)
		}
	}
	w.Settle(w.Drain(outs))
	if len(w.Data[b]) != 1 {
		t.Fatal("the other client's payload is lost")
	}
	closed := last(w.Events[a])
	if closed.Kind != client.Closed || closed.Outcome != client.Unconfirmed || !strings.HasPrefix(closed.Reason, "panic") {
		t.Fatalf("it ends with %+v", closed)
	}
	if closed.Until.Round(time.Millisecond) != 600*time.Second {
		t.Fatalf("Until is %v", closed.Until)
	}
	if w.Servers[a].Allocations() != 0 {
		t.Fatal("the panicked client's allocation was not released")
	}
	if code, _ := w.Do(a, abi.Command{Cmd: abi.CmdRefresh}); code != abi.CodePanic {
		t.Fatalf("a command to it answers %d", code)
	}
	if w.Free(a) != 0 {
		t.Fatal("it cannot be freed")
	}
	if outcome := w.Leave(b, 2*time.Second); outcome != client.Released {
		t.Fatalf("the other's close: %v", outcome)
	}
}

func TestPanicInACommand(t *testing.T) {
	w, f := faultyWorld(t)
	h := joinFaulty(w)
	f.armed = true
	code, outs := w.Do(h, abi.Command{Cmd: abi.CmdAllocate})
	if code != abi.CodePanic || w.ErrorText() != "" && strings.Contains(w.ErrorText(), "runtime") {
		t.Fatalf("code %d, %q", code, w.ErrorText())
	}
	if len(outs) != 1 || outs[0].Event.Kind != client.Closed {
		t.Fatalf("%+v", outs)
	}
	if _, ok := w.Next(); ok {
		t.Fatal("a dead client has a deadline")
	}
}

func TestPanicInATickWakesTheOthers(t *testing.T) {
	w, f := faultyWorld(t)
	a, b := joinFaulty(w), joinFaulty(w)
	for _, h := range []int32{a, b} {
		w.Order(h, abi.Command{Cmd: abi.CmdAllocate})
	}
	at, _ := w.Next()
	w.Now = at
	f.armed = true // the Refresh of the first one
	w.Settle(w.Wake())
	kinds := [2]client.EventKind{last(w.Events[a]).Kind, last(w.Events[b]).Kind}
	if !slices.Contains(kinds[:], client.Closed) || !slices.Contains(kinds[:], client.Refreshed) {
		t.Fatalf("one is to be closed and one refreshed: %v", kinds)
	}
}
