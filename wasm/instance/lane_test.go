package instance_test

import (
	"slices"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/abitest"
)

// The answer that takes the allocation away comes between two payloads of one
// batch: the lane of the first is none for the second.
func TestLanesEndInTheMiddleOfABatch(t *testing.T) {
	w := newWorld(t)
	h, number := bound(t, w)
	data := string(turntest.ChannelData(number, []byte("data")))
	server := w.Servers[h]
	server.Handle(w.Now, abitest.ServerAddr, abitest.ClientAddr(h), w.Parting[h])
	server.Poll() // it has released, and the client does not know
	_, outs := w.Do(h, abi.Command{Cmd: abi.CmdRefresh})
	server.Handle(w.Now, abitest.ServerAddr, abitest.ClientAddr(h), outs[0].Packets[0])
	refusal, ok := server.Poll()
	if !ok {
		t.Fatal("the server does not answer")
	}
	for i, datagram := range []string{data, data, string(refusal.Data), data, data} {
		put(w, i, abi.Desc{Client: h, Kind: abi.KindInput}, uint32(i)*512, datagram)
	}
	outs = w.Submit(w.Input, 5)
	payloads := 0
	for _, o := range outs {
		if o.Kind == abi.KindData {
			payloads += len(o.Packets)
		}
	}
	lost := slices.ContainsFunc(outs, func(o abitest.Out) bool { return o.Event.Kind == client.AllocationLost })
	if !lost || payloads != 2 {
		t.Errorf("lost: %v, with %d payloads, want the two before it", lost, payloads)
	}
}

// Time alone ends a lane.
func TestLanesEndWithTheirPermission(t *testing.T) {
	w := newWorld(t)
	h, number := bound(t, w)
	for _, c := range []struct {
		at        time.Duration
		direct    bool
		delivered int
	}{
		{0, true, 1}, {time.Second, true, 1}, {5 * time.Minute, true, 1}, {5*time.Minute + 1, false, 0}, // the clock begins at 1
	} {
		put(w, 0, abi.Desc{Client: h, Kind: abi.KindSend, Addr: abitest.Peer}, 1024, "data")
		outs := w.Read(w.Send(abi.MS(c.at), 1))
		if direct := len(outs) == 1 && len(outs[0].Packets[0]) == 8; direct != c.direct {
			t.Errorf("at %v a payload goes by ChannelData: %v", c.at, direct)
		}
		put(w, 0, abi.Desc{Client: h, Kind: abi.KindInput}, 0, string(turntest.ChannelData(number, []byte("data"))))
		if outs := w.Read(w.Input(abi.MS(c.at), 1)); len(outs) != c.delivered {
			t.Errorf("at %v a payload from it is %+v", c.at, outs)
		}
	}
}

func TestLongestPayloadOfALane(t *testing.T) {
	w := newWorld(t)
	h, _ := bound(t, w)
	for _, c := range []struct {
		n    int
		want abi.Code
	}{{10, 0}, {65503, 0}, {65504, abi.CodeTooLarge}, {65535, abi.CodeTooLarge}, {65536, abi.CodeTooLarge}} {
		put(w, 0, abi.Desc{Client: h, Kind: abi.KindSend, Addr: abitest.Peer}, 1024, string(make([]byte, c.n)))
		outs := w.Send(0, 1)
		if code := status(w, 0); code != c.want || (outs == 1) != (c.want == 0) {
			t.Errorf("%d bytes: %v, %d out-descriptors", c.n, code.Err(), outs)
		}
	}
}
