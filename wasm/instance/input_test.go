package instance_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/abitest"
)

// coalesced lays segments down as the kernel's receive offload does.
func coalesced(w *abitest.World, h int32, segments ...[]byte) {
	off := w.Layout.Arena.Offset
	whole := bytes.Join(segments, nil)
	copy(w.Region[off:], whole)
	d := abi.Desc{
		Client: h, Kind: abi.KindInput, Offset: off, Length: uint32(len(whole)),
		Stride: uint32(len(segments[0])), Tag: 5,
	}
	d.Store(w.Layout.In.At(w.Region, 0))
}

func TestCoalescedDatagramIsOneRun(t *testing.T) {
	w := newWorld(t)
	h, number := bound(t, w)
	w.Peer(h, w.Control(abi.AppendPeer(nil, abitest.Peer)))
	var segments [][]byte
	for i := range 40 {
		segments = append(segments, turntest.ChannelData(number, bytes.Repeat([]byte{byte(i)}, 1200)))
	}
	segments = append(segments, turntest.ChannelData(number, []byte("last")))
	coalesced(w, h, segments...)
	outs := w.Read(w.Input(0, 1))
	if len(outs) != 2 || outs[0].Count != 40 || outs[0].Stride != 1204 || outs[1].Count != 1 {
		t.Fatalf("40 equal segments and a short one came as %+v", outs)
	}
	for _, o := range outs {
		if o.Kind != abi.KindData || o.Peer != 1 || o.Addr != abitest.Peer || o.Channel != uint32(number) || o.Tag != 5 {
			t.Fatalf("%+v", o.Desc)
		}
	}
	for i, p := range outs[0].Packets {
		if !bytes.Equal(p, bytes.Repeat([]byte{byte(i)}, 1200)) {
			t.Fatalf("payload %d is damaged", i)
		}
	}
	if string(outs[1].Packets[0]) != "last" {
		t.Fatalf("the last payload is %q", outs[1].Packets[0])
	}
}

func TestUnlikeSegmentsComeBackSingle(t *testing.T) {
	w := newWorld(t)
	h, number := bound(t, w)
	// Three segments of one size that carry payloads of three: ChannelData may
	// be padded, and what is not ours is dropped.
	coalesced(w, h,
		turntest.ChannelData(number, []byte("abcdefgh")),
		append(turntest.ChannelData(number, []byte("ijklm")), 0, 0, 0),
		turntest.ChannelData(number^1, []byte("notours!")),
		turntest.ChannelData(number, []byte("nopqrstu")))
	outs := w.Read(w.Input(0, 1))
	var got [][]byte
	for _, o := range outs {
		got = append(got, o.Packets...)
	}
	if want := []string{"abcdefgh", "ijklm", "nopqrstu"}; !slices.Equal(texts(got), want) {
		t.Fatalf("payloads %q, want %q", texts(got), want)
	}
}

func TestFullInTheMiddleOfACoalescedDatagram(t *testing.T) {
	w := newWorldOf(t, abi.NewLayout(4096, 128<<10, 4, 2, 1<<20))
	h, number := bound(t, w)
	var segments [][]byte
	var want []string
	for i := range 9 {
		payload := bytes.Repeat([]byte{byte('a' + i)}, 20-i) // unlike, padded to one size
		segment := append(turntest.ChannelData(number, payload), make([]byte, i)...)
		segments, want = append(segments, segment), append(want, string(payload))
	}
	coalesced(w, h, segments...)
	w.Settle(w.Submit(w.Input, 1))
	if got := texts(w.Data[h]); !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func BenchmarkInput64(b *testing.B) {
	w := newWorld(b)
	h, number := bound(b, w)
	for i := range 64 {
		put(w, i, abi.Desc{Client: h, Kind: abi.KindInput}, uint32(i)*2048, string(turntest.ChannelData(number, make([]byte, 1200))))
	}
	for b.Loop() {
		w.Input(1000, 64)
	}
}
