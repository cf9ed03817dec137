package instance_test

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/abitest"
)

func send(t testing.TB, w *abitest.World, h int32, payload string) {
	t.Helper()
	put(w, 0, abi.Desc{Client: h, Kind: abi.KindSend, Addr: abitest.Peer}, 1000, payload)
	w.Settle(w.Drain(w.Read(w.Send(abi.MS(w.Now), 1))))
	if code := status(w, 0); code != 0 {
		t.Fatalf("sending %q: %v", payload, code.Err())
	}
}

func TestRunOfEqualPayloads(t *testing.T) {
	w := newWorld(t)
	h, number := bound(t, w)
	const count, length, stride = 54, 100, 104
	base := w.Layout.Arena.Offset + 4096
	for i := range uint32(count) {
		copy(w.Region[base+i*stride:], bytes.Repeat([]byte{byte(i)}, length))
	}
	d := abi.Desc{Client: h, Kind: abi.KindSend, Addr: abitest.Peer, Offset: base, Length: length, Count: count, Stride: stride, Tag: 77}
	d.Store(w.Layout.In.At(w.Region, 0))
	outs := w.Read(w.Send(0, 1))
	if len(outs) != 1 || outs[0].Count != count || outs[0].Stride != stride || outs[0].Offset != base-4 || outs[0].Tag != 77 {
		t.Fatalf("a run of %d came back as %+v", count, outs)
	}
	if outs[0].Addr != abitest.ServerAddr {
		t.Fatalf("it goes to %v", outs[0].Addr)
	}
	for i, p := range outs[0].Packets {
		want := turntest.ChannelData(number, bytes.Repeat([]byte{byte(i)}, length))
		if !bytes.Equal(p, want) {
			t.Fatalf("packet %d is % x, want % x", i, p[:8], want[:8])
		}
	}
}

// A run of payloads 4 bytes apart has no room for the headers of Send
// indications: they are shipped from control-out, and none is damaged.
func TestRunWithoutChannel(t *testing.T) {
	w := newWorld(t)
	h := allocated(t, w)
	w.Order(h, abi.Command{Cmd: abi.CmdCreatePermission, Peers: peers()})
	for _, stride := range []uint32{104, 256} {
		const count, length = 300, 99
		base := w.Layout.Arena.Offset + 4096
		for i := range uint32(count) {
			copy(w.Region[base+i*stride:], bytes.Repeat([]byte{byte(i)}, length))
		}
		d := abi.Desc{Client: h, Kind: abi.KindSend, Addr: abitest.Peer, Offset: base, Length: length, Count: count, Stride: stride}
		d.Store(w.Layout.In.At(w.Region, 0))
		w.Data[h] = nil
		w.Settle(w.Submit(w.Send, 1))
		if len(w.Data[h]) != count {
			t.Fatalf("stride %d: %d of %d came back", stride, len(w.Data[h]), count)
		}
		for i, p := range w.Data[h] {
			if !bytes.Equal(p, bytes.Repeat([]byte{byte(i)}, length)) {
				t.Fatalf("stride %d: payload %d is % x", stride, i, p[:8])
			}
		}
	}
}

func TestInPlaceIndicationIsOneRun(t *testing.T) {
	w := newWorld(t)
	h := allocated(t, w)
	w.Order(h, abi.Command{Cmd: abi.CmdCreatePermission, Peers: peers()})
	d := abi.Desc{Client: h, Kind: abi.KindSend, Addr: abitest.Peer, Offset: w.Layout.Arena.Offset + 64, Length: 100, Count: 8, Stride: 200}
	d.Store(w.Layout.In.At(w.Region, 0))
	outs := w.Read(w.Send(0, 1))
	if len(outs) != 1 || outs[0].Count != 8 || outs[0].Stride != 200 || !w.Layout.Arena.Holds(outs[0].Offset, 1600) {
		t.Fatalf("%+v", outs)
	}
}

func TestSendRefusesBadItems(t *testing.T) {
	w := newWorld(t)
	h, _ := bound(t, w)
	end := w.Layout.Arena.Size
	for _, c := range []struct {
		why  string
		d    abi.Desc
		at   uint32
		want abi.Code
	}{
		{"no headroom", abi.Desc{Addr: abitest.Peer}, 63, abi.CodeArgument},
		{"no tailroom", abi.Desc{Addr: abitest.Peer}, end - 8, abi.CodeArgument},
		{"3 bytes between payloads", abi.Desc{Addr: abitest.Peer, Count: 2, Stride: 8}, 64, abi.CodeArgument},
		{"run past the end", abi.Desc{Addr: abitest.Peer, Count: 1 << 31, Stride: 1 << 31}, 64, abi.CodeArgument},
		{"no address", abi.Desc{}, 64, abi.CodePeer},
		{"unknown peer number", abi.Desc{Peer: 3}, 64, abi.CodePeer},
		{"IPv6 peer", abi.Desc{Addr: netip.MustParseAddrPort("[2001:db8::1]:9")}, 64, abi.CodeFamily},
		{"well", abi.Desc{Addr: abitest.Peer}, 64, abi.CodeOK},
		{"well to the last byte", abi.Desc{Addr: abitest.Peer}, end - 9, abi.CodeOK},
	} {
		c.d.Client, c.d.Kind = h, abi.KindSend
		put(w, 0, c.d, c.at, "hello")
		w.Send(0, 1)
		if got := status(w, 0); got != c.want {
			t.Errorf("%s: %d, want %d", c.why, got, c.want)
		}
	}
}

func BenchmarkSendRun54(b *testing.B) {
	w := newWorld(b)
	h, _ := bound(b, w)
	d := abi.Desc{Client: h, Kind: abi.KindSend, Addr: abitest.Peer, Offset: w.Layout.Arena.Offset + 64, Length: 1200, Count: 54, Stride: 1204}
	d.Store(w.Layout.In.At(w.Region, 0))
	for b.Loop() {
		w.Send(1000, 1)
	}
}
