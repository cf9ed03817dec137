package turntest

import (
	"bytes"
	"net/netip"
	"testing"
)

func TestFramesOfAStream(t *testing.T) {
	request := Build(MethodAllocate, Request, TransactionID{7}).Datagram()
	channel := Framed(ChannelData(0x4001, []byte("hello")))
	if len(channel) != 12 {
		t.Errorf("ChannelData of 5 bytes is framed in %d bytes, want 12", len(channel))
	}
	stream := append(append(bytes.Clone(request), channel...), request...)
	for size := 1; size <= len(stream); size++ {
		var d Deframer
		var got [][]byte
		for rest := stream; len(rest) > 0; {
			n, frame, err := d.Take(rest[:min(size, len(rest))])
			if err != nil {
				t.Fatal(err)
			}
			if frame != nil {
				got = append(got, frame)
			}
			rest = rest[n:]
		}
		if len(got) != 3 || !bytes.Equal(got[0], request) || !bytes.Equal(got[1], channel) || !bytes.Equal(got[2], request) {
			t.Fatalf("in pieces of %d bytes: %x", size, got)
		}
	}
}

func TestNoFrames(t *testing.T) {
	for _, b := range [][]byte{{4}, {0x3F}, {0x50}, {0xFF}, {0, 1, 0, 1}, {0, 1, 0, 4, 0x21, 0x12, 0xA4, 0x43}} {
		if _, err := FrameSize(b); err == nil {
			t.Errorf("% x is taken for the beginning of a message", b)
		}
	}
}

// What a client has on a stream of coturn's or pion's goes with the stream.
func TestServerFreesAtTheStreamsEnd(t *testing.T) {
	for flavour, left := range map[Flavour]int{RFC: 1, Coturn: 0, Pion: 0} {
		client := netip.MustParseAddrPort("198.51.100.9:5000")
		s := NewServer(ServerConfig{Flavour: flavour, Addr: netip.MustParseAddrPort("192.0.2.1:3478")})
		request := Build(MethodAllocate, Request, TransactionID{7}).Bytes(AttrRequestedTransport, []byte{17, 0, 0, 0}).Datagram()
		if !s.HandleStream(0, client, request[:9]) || s.Allocations() != 0 || !s.HandleStream(0, client, request[9:]) || s.Allocations() != 1 {
			t.Fatalf("%v: there are %d allocations", flavour, s.Allocations())
		}
		if s.EndStream(0, client); s.Allocations() != left {
			t.Errorf("%v: %d allocations are left, want %d", flavour, s.Allocations(), left)
		}
	}
}
