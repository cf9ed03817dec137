package host

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

func TestTraceIsReadable(t *testing.T) {
	var file bytes.Buffer
	tr, err := NewTrace(&file)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1700000000, 123456000)
	type datagram struct{ from, to, data string }
	want := []datagram{
		{"192.0.2.1:5000", "198.51.100.1:3478", "one"},
		{"[2001:db8::1]:5000", "[2001:db8::2]:3478", "three"},
		{"198.51.100.1:3478", "192.0.2.1:5000", ""},
	}
	for _, d := range want {
		tr.datagram(at, netip.MustParseAddrPort(d.from), netip.MustParseAddrPort(d.to), []byte(d.data))
	}
	if err := tr.Err(); err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(&file, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range want {
		data, info, err := r.ReadPacketData()
		if err != nil {
			t.Fatal(err)
		}
		if !info.Timestamp.Equal(at) {
			t.Errorf("the time is %v, want %v", info.Timestamp, at)
		}
		first := gopacket.Decoder(layers.LayerTypeIPv4)
		if data[0]>>4 == 6 {
			first = layers.LayerTypeIPv6
		}
		p := gopacket.NewPacket(data, first, gopacket.Default)
		udp, _ := p.Layer(layers.LayerTypeUDP).(*layers.UDP)
		if udp == nil {
			t.Fatalf("%v holds no UDP", p)
		}
		if err := udp.SetNetworkLayerForChecksum(p.NetworkLayer()); err != nil {
			t.Fatal(err)
		}
		if fault, mismatches := p.VerifyChecksums(); fault != nil || len(mismatches) > 0 {
			t.Errorf("checksums: %v %v", fault, mismatches)
		}
		src, dst := p.NetworkLayer().NetworkFlow().Endpoints()
		srcIP, _ := netip.AddrFromSlice(src.Raw())
		dstIP, _ := netip.AddrFromSlice(dst.Raw())
		got := datagram{
			netip.AddrPortFrom(srcIP, uint16(udp.SrcPort)).String(),
			netip.AddrPortFrom(dstIP, uint16(udp.DstPort)).String(), string(udp.Payload),
		}
		if got != w {
			t.Errorf("got %v, want %v", got, w)
		}
	}
}

type brokenWriter struct{ left int }

var errDiskFull = errors.New("disk full")

func (w *brokenWriter) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, errDiskFull
	}
	return len(b), nil
}

func TestTraceKeepsItsError(t *testing.T) {
	tr, err := NewTrace(&brokenWriter{left: 500})
	if err != nil {
		t.Fatal(err)
	}
	a := netip.MustParseAddrPort("192.0.2.1:1")
	tr.datagram(time.Now(), a, a, make([]byte, 1000))
	tr.datagram(time.Now(), a, a, nil)
	if err := tr.Err(); !errors.Is(err, errDiskFull) {
		t.Errorf("the error is %v, want the writer's", err)
	}
	if _, err := NewTrace(&brokenWriter{}); !errors.Is(err, errDiskFull) {
		t.Errorf("NewTrace answers %v, want the writer's error", err)
	}
}
