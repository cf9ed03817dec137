package instance_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/abitest"
	"github.com/turnwasm/turnwasm/wasm/instance"
)

func newInstance(layout abi.Layout, random io.Reader) (*instance.Instance, []byte) {
	region := make([]byte, layout.Size)
	return instance.New(region, layout, instance.Options{Rand: random}), region
}

func newWorld(t testing.TB) *abitest.World {
	t.Helper()
	return newWorldOf(t, abi.DefaultLayout())
}

func newWorldOf(t testing.TB, layout abi.Layout) *abitest.World {
	t.Helper()
	in, region := newInstance(layout, rand.Reader)
	return abitest.NewWorld(t, in, region)
}

// allocated joins a client and allocates.
func allocated(t testing.TB, w *abitest.World) int32 {
	t.Helper()
	h := w.Join(1)
	w.Order(h, abi.Command{Cmd: abi.CmdAllocate})
	if !slices.Contains(w.Kinds(h), client.Allocated) {
		t.Fatalf("no allocation: %+v", w.Events[h])
	}
	return h
}

func TestAllocateSendReceiveRelease(t *testing.T) {
	w := newWorld(t)
	h := allocated(t, w)
	number := w.Peer(h, w.Control(abi.AppendPeer(nil, abitest.Peer)))
	if number != 1 {
		t.Fatalf("the first peer's number is %d", number)
	}
	send(t, w, h, "by indication, queued for its permission")
	w.Order(h, abi.Command{Cmd: abi.CmdBindChannel, Peers: peers()})
	if !slices.Contains(w.Kinds(h), client.ChannelBound) {
		t.Fatalf("no channel: %v", w.Kinds(h))
	}
	send(t, w, h, "by channel")
	want := []string{"by indication, queued for its permission", "by channel"}
	if got := texts(w.Data[h]); !slices.Equal(got, want) {
		t.Fatalf("the peer's echoes are %q, want %q", got, want)
	}
	server := w.Servers[h]
	if server.Allocations() != 1 {
		t.Fatalf("the server holds %d allocations before the close", server.Allocations())
	}
	if outcome := w.Leave(h, 2*time.Second); outcome != client.Released {
		t.Fatalf("the outcome is %v", outcome)
	}
	if server.Allocations() != 0 {
		t.Fatal("the server still holds the allocation")
	}
	if w.Header.Clients() != 0 {
		t.Fatalf("%d clients are alive", w.Header.Clients())
	}
}

func TestSeveralClientsDoNotTouchEachOther(t *testing.T) {
	w := newWorld(t)
	a, b := allocated(t, w), allocated(t, w)
	before, _ := w.Next()
	if outcome := w.Leave(a, 0); outcome != client.Unconfirmed {
		t.Fatalf("a blind release's outcome is %v", outcome)
	}
	if after, ok := w.Next(); !ok || after != before {
		t.Fatalf("closing one moved the other's deadline from %v to %v", before, after)
	}
	w.AdvanceTo(550 * time.Second)
	if !slices.Contains(w.Kinds(b), client.Refreshed) {
		t.Fatalf("the other was not refreshed: %v", w.Kinds(b))
	}
	if w.Servers[b].Allocations() != 1 {
		t.Fatal("the other's allocation is gone")
	}
}

func TestTickAtTheAnnouncedDeadlineMakesProgress(t *testing.T) {
	w := newWorld(t)
	h := w.Join(7)
	w.Now = 123456789 * time.Nanosecond // a deadline that no f64 holds exactly
	if code, _ := w.Do(h, abi.Command{Cmd: abi.CmdAllocate}); code != 0 {
		t.Fatal(code.Err())
	}
	for range 20 {
		at := w.Header.Next()
		if at > 1e9 {
			return
		}
		if next := w.Tick(at); next <= at {
			t.Fatalf("the deadline %v led to %v", at, next)
		}
		w.Drain(nil)
	}
	t.Fatal("an Allocate without an answer never ends")
}

func TestStateAndStats(t *testing.T) {
	w := newWorld(t)
	h := allocated(t, w)
	n := w.State(h)
	state, err := abi.ParseState(w.Layout.ControlOut.Of(w.Region)[:n])
	if err != nil {
		t.Fatal(err)
	}
	if state.Phase != client.PhaseAllocated || !state.Relayed.IsValid() || state.Mapped != abitest.ClientAddr(h) {
		t.Fatalf("state %+v", state)
	}
	if !state.Wakes || !strings.Contains(state.WakeWhy, "refresh") || state.Lifetime != 600*time.Second {
		t.Fatalf("state %+v", state)
	}
	n = w.Stats(h)
	stats := abi.ParseStats(w.Layout.ControlOut.Of(w.Region)[:n])
	if stats.SentMessages != 2 || stats.ReceivedMessages != 2 {
		t.Fatalf("an Allocate with its challenge is two messages each way: %+v", stats)
	}
}

func TestPartingReleasesWithoutTheClient(t *testing.T) {
	w := newWorld(t)
	h := allocated(t, w)
	outs := w.Read(w.Exports.Parting(abi.MS(w.Now), h))
	if len(outs) != 1 || !bytes.Equal(outs[0].Packets[0], w.Parting[h]) {
		t.Fatalf("turn_parting and the last KindParting differ")
	}
	if outs[0].Addr != abitest.ServerAddr {
		t.Fatalf("it goes to %v", outs[0].Addr)
	}
	w.Servers[h].Handle(w.Now, abitest.ServerAddr, abitest.ClientAddr(h), w.Parting[h])
	if w.Servers[h].Allocations() != 0 {
		t.Fatal("the parting datagram released nothing")
	}
}

func TestPartingBeforeAnythingIsOwed(t *testing.T) {
	w := newWorld(t)
	if n := w.Exports.Parting(0, w.Join(1)); n != 0 {
		t.Fatalf("%d out-descriptors", n)
	}
}

func TestControlInIsWiped(t *testing.T) {
	w := newWorld(t)
	h := w.Join(1)
	creds := abi.Command{Cmd: abi.CmdSetCredentials, Username: []byte("alice"), Password: []byte("another secret")}
	if code, _ := w.Do(h, creds); code != 0 {
		t.Fatal(code.Err())
	}
	cfg := abitest.Config()
	broken := abi.AppendConfig(nil, &cfg, nil)
	w.Open(0, w.Control(broken[:len(broken)-1]))
	for _, b := range w.Layout.ControlIn.Of(w.Region) {
		if b != 0 {
			t.Fatalf("control-in holds %q", bytes.Trim(w.Layout.ControlIn.Of(w.Region), "\x00"))
		}
	}
}

func TestHandlesGoStale(t *testing.T) {
	w := newWorld(t)
	seen := map[int32]bool{}
	for range 20000 {
		h := w.Open(0, w.Control(config()))
		if h <= 0 || seen[h] && len(seen) < 8000 {
			t.Fatalf("handle %d after %d others", h, len(seen))
		}
		seen[h] = true
		if w.Free(h) != 0 {
			t.Fatalf("turn_free(%d)", h)
		}
		if code := abi.Code(w.Free(h)); code != abi.CodeHandle {
			t.Fatalf("a second turn_free answers %d", code)
		}
	}
}

func TestNoRoomForAnotherClient(t *testing.T) {
	w := newWorld(t)
	w.Header.SetMostClients(2)
	a := w.Join(1)
	w.Join(2)
	if code := abi.Code(w.Open(0, w.Control(config()))); code != abi.CodeLimit {
		t.Fatalf("the third client: %d", code)
	}
	if !strings.Contains(w.ErrorText(), "no room for another client") {
		t.Fatalf("the text is %q", w.ErrorText())
	}
	w.Free(a)
	w.Join(3)
}

func TestConfigErrorsHaveTexts(t *testing.T) {
	w := newWorld(t)
	cfg := abitest.Config()
	cfg.Rc = -1 // 2^32-1 on the wire
	if code := abi.Code(w.Open(0, w.Control(abi.AppendConfig(nil, &cfg, nil)))); code != abi.CodeArgument {
		t.Fatalf("code %d: %s", code, w.ErrorText())
	}
	cfg = abitest.Config()
	cfg.Username = nil
	if code := abi.Code(w.Open(0, w.Control(abi.AppendConfig(nil, &cfg, nil)))); code != abi.CodeConfig {
		t.Fatalf("code %d: %s", code, w.ErrorText())
	}
	if w.ErrorText() == "" || strings.Contains(w.ErrorText(), abitest.Secret) {
		t.Fatalf("the text is %q", w.ErrorText())
	}
	if w.Header.Clients() != 0 {
		t.Fatal("a refused client is alive")
	}
}

func config() []byte {
	cfg := abitest.Config()
	return abi.AppendConfig(nil, &cfg, nil)
}
