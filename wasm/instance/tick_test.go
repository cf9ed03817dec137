package instance_test

import (
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/wasm/abi"
)

// A tick wakes so many and no more; what is left is due at once, so a host that
// arms its timer with the next deadline comes back for it.
func TestATickWakesABoundedNumber(t *testing.T) {
	const clients = 300
	w := newWorld(t)
	for range clients {
		w.Do(w.Open(0, w.Control(config())), abi.Command{Cmd: abi.CmdAllocate})
	}
	resend := abi.MS(time.Second)
	for _, want := range []int{128, 128, clients - 256} {
		if w.Header.Next() > resend {
			t.Fatalf("the next deadline is %v, with clients due at %v", w.Header.Next(), resend)
		}
		w.Tick(resend)
		sent := 0
		for w.Header.Pending() {
			sent += len(w.Read(w.Poll()))
		}
		if sent != want {
			t.Fatalf("a tick made %d clients send, want %d", sent, want)
		}
	}
	if next := w.Tick(resend); next <= resend {
		t.Fatalf("all are served, and the next deadline is %v", next)
	}
}
