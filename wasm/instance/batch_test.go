package instance_test

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/abitest"
)

func peers() []netip.AddrPort { return []netip.AddrPort{abitest.Peer} }

func texts(packets [][]byte) (out []string) {
	for _, p := range packets {
		out = append(out, string(p))
	}
	return out
}

// put lays a payload down and describes it in the in-descriptor i.
func put(w *abitest.World, i int, d abi.Desc, at uint32, payload string) {
	d.Offset = w.Layout.Arena.Offset + at
	d.Length = uint32(len(payload))
	d.Count = max(d.Count, 1)
	copy(w.Region[d.Offset:], payload)
	d.Store(w.Layout.In.At(w.Region, i))
}

func status(w *abitest.World, i int) abi.Code { return w.Layout.In.At(w.Region, i).Status() }

// bound is a client with a channel to the peer, whose number it answers.
func bound(t testing.TB, w *abitest.World) (h int32, number uint16) {
	t.Helper()
	h = allocated(t, w)
	w.Order(h, abi.Command{Cmd: abi.CmdBindChannel, Peers: peers()})
	events := w.Events[h]
	number = events[len(events)-1].Channel
	if number == 0 {
		t.Fatalf("no channel: %+v", events)
	}
	return h, number
}

func TestBatchGoesOnPastBadItems(t *testing.T) {
	w := newWorld(t)
	h, number := bound(t, w)
	freed := w.Join(9)
	w.Free(freed)
	data := string(turntest.ChannelData(number, []byte("well")))
	put(w, 0, abi.Desc{Client: freed, Kind: abi.KindInput}, 0, data)
	put(w, 1, abi.Desc{Client: h, Kind: abi.KindSend}, 0, data)
	put(w, 2, abi.Desc{Client: h, Kind: abi.KindInput, Count: 2}, 0, data)
	put(w, 3, abi.Desc{Client: h, Kind: abi.KindInput}, w.Layout.Arena.Size-2, data)
	put(w, 4, abi.Desc{Client: h, Kind: abi.KindInput}, 0, data)
	outs := w.Read(w.Input(0, 5))
	want := []abi.Code{abi.CodeHandle, abi.CodeUnsupported, abi.CodeArgument, abi.CodeArgument, abi.CodeOK}
	for i, code := range want {
		if got := status(w, i); got != code {
			t.Errorf("item %d: %d, want %d", i, got, code)
		}
	}
	if len(outs) != 1 || string(outs[0].Packets[0]) != "well" || w.Header.Consumed() != 5 {
		t.Fatalf("%d consumed, %+v", w.Header.Consumed(), outs)
	}
}

func TestFullOutDescriptors(t *testing.T) {
	w := newWorldOf(t, abi.NewLayout(4096, 128<<10, 64, 3, 1<<20))
	h, number := bound(t, w)
	var want []string
	for i := range 64 {
		// Sizes differ, so nothing joins a run.
		payload := bytes.Repeat([]byte{byte('a' + i)}, 1+i)
		want = append(want, string(payload))
		put(w, i, abi.Desc{Client: h, Kind: abi.KindInput}, uint32(i)*256, string(turntest.ChannelData(number, payload)))
	}
	if n := w.Input(0, 64); n != 3 || w.Header.Consumed() != 3 {
		t.Fatalf("%d out-descriptors, %d consumed", n, w.Header.Consumed())
	}
	w.Settle(w.Submit(w.Input, 64))
	if got := texts(w.Data[h]); !slices.Equal(got, want) {
		t.Fatalf("got %d payloads %q", len(got), got)
	}
}

func TestDataPathAllocatesNothing(t *testing.T) {
	w := newWorld(t)
	h, number := bound(t, w)
	data := string(turntest.ChannelData(number, make([]byte, 1200)))
	for i := range 64 {
		put(w, i, abi.Desc{Client: h, Kind: abi.KindInput}, uint32(i)*2048, data)
	}
	if n := testing.AllocsPerRun(100, func() { w.Input(1000, 64) }); n != 0 {
		t.Errorf("turn_input allocates %v times", n)
	}
	for i := range 64 {
		put(w, i, abi.Desc{Client: h, Kind: abi.KindSend, Addr: abitest.Peer}, 64+uint32(i)*2048, data)
	}
	if n := testing.AllocsPerRun(100, func() { w.Send(1000, 64) }); n != 0 {
		t.Errorf("turn_send allocates %v times", n)
	}
	d := abi.Desc{Client: h, Kind: abi.KindSend, Addr: abitest.Peer, Offset: w.Layout.Arena.Offset + 64, Length: 1200, Count: 54, Stride: 1204}
	d.Store(w.Layout.In.At(w.Region, 0))
	if n := testing.AllocsPerRun(100, func() { w.Send(1000, 1) }); n != 0 {
		t.Errorf("turn_send of a run allocates %v times", n)
	}
	coalesced(w, h, slices.Repeat([][]byte{[]byte(data)}, 54)...)
	if n := testing.AllocsPerRun(100, func() { w.Input(1000, 1) }); n != 0 {
		t.Errorf("turn_input of a run allocates %v times", n)
	}
}

// The answer to a release closes its client in the middle of a batch: what the
// batch still holds for it is ignored, what it holds for others arrives.
func TestCloseInTheMiddleOfABatch(t *testing.T) {
	w := newWorld(t)
	a, numberA := bound(t, w)
	b, numberB := bound(t, w)
	var release []byte
	for _, o := range w.Bye(a, 2*time.Second) {
		if o.Kind == abi.KindTransmit {
			release = o.Packets[0]
		}
	}
	w.Servers[a].Handle(w.Now, abitest.ServerAddr, abitest.ClientAddr(a), release)
	answer, ok := w.Servers[a].Poll()
	if !ok {
		t.Fatal("the server does not answer the release")
	}
	for i, item := range []struct {
		h    int32
		data []byte
	}{
		{a, turntest.ChannelData(numberA, []byte("before"))},
		{b, turntest.ChannelData(numberB, []byte("one"))},
		{a, answer.Data},
		{a, turntest.ChannelData(numberA, []byte("after"))},
		{b, turntest.ChannelData(numberB, []byte("two"))},
	} {
		put(w, i, abi.Desc{Client: item.h, Kind: abi.KindInput}, uint32(i)*2048, string(item.data))
	}
	w.Settle(w.Submit(w.Input, 5))
	for i := range 5 {
		if code := status(w, i); code != abi.CodeOK {
			t.Errorf("item %d: %v", i, code.Err())
		}
	}
	if got := texts(w.Data[b]); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("the other's payloads are %q", got)
	}
	if slices.Contains(texts(w.Data[a]), "after") {
		t.Error("a payload after Closed")
	}
	if e := last(w.Events[a]); e.Kind != client.Closed || e.Outcome != client.Released {
		t.Errorf("the last event is %+v", e)
	}
	if code := abi.Code(w.Command(0, a, w.Control(abi.AppendCommand(nil, &abi.Command{Cmd: abi.CmdRefresh})))); code != abi.CodeClosed {
		t.Errorf("a command after Closed: %d", code)
	}
}
