package host

import (
	"bytes"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// What a stream carries is TCP in a trace, one byte behind the other, whatever
// the sizes in which it came.
func TestTraceOfAStream(t *testing.T) {
	var file bytes.Buffer
	tr, err := NewTrace(&file)
	if err != nil {
		t.Fatal(err)
	}
	us, them := netip.MustParseAddrPort("192.0.2.1:5000"), netip.MustParseAddrPort("198.51.100.1:3478")
	long := bytes.Repeat([]byte("abc"), 25000) // longer than an IP packet
	s := &transport{trace: tr, local: us, server: them, stream: new(streamWire)}
	s.traceSent(time.Now(), []byte("one"))
	s.traceReceived(time.Now(), long)
	s.traceSent(time.Now(), []byte("two"))
	if err := tr.Err(); err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewNgReader(&file, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	var sent, received []byte
	for data, _, err := r.ReadPacketData(); err != io.EOF; data, _, err = r.ReadPacketData() {
		if err != nil {
			t.Fatal(err)
		}
		tcp := segmentOf(t, data)
		of, other := &sent, &received
		if tcp.SrcPort == 3478 {
			of, other = &received, &sent
		}
		if int(tcp.Seq) != len(*of)+1 || int(tcp.Ack) != len(*other)+1 {
			t.Errorf("the segment is at %d and acknowledges %d, want %d and %d", tcp.Seq, tcp.Ack, len(*of)+1, len(*other)+1)
		}
		*of = append(*of, tcp.Payload...)
	}
	if string(sent) != "onetwo" || !bytes.Equal(received, long) {
		t.Errorf("sent %q, received %d bytes", sent, len(received))
	}
}

func segmentOf(t *testing.T, data []byte) *layers.TCP {
	t.Helper()
	p := gopacket.NewPacket(data, layers.LayerTypeIPv4, gopacket.Default)
	tcp, _ := p.Layer(layers.LayerTypeTCP).(*layers.TCP)
	if tcp == nil {
		t.Fatalf("%v holds no TCP", p)
	}
	if err := tcp.SetNetworkLayerForChecksum(p.NetworkLayer()); err != nil {
		t.Fatal(err)
	}
	if fault, mismatches := p.VerifyChecksums(); fault != nil || len(mismatches) > 0 {
		t.Errorf("checksums: %v %v", fault, mismatches)
	}
	return tcp
}
