package host

import (
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// Trace writes datagrams as a pcapng file that Wireshark opens. One Trace may
// serve many Conns, at the same time or one after the other. The headers are
// made up from the sockets' addresses: what a stream carries is in TCP segments
// as it was handed to the socket and came from it, and what TLS and DTLS carry is
// there as it is inside of them, in the clear.
type Trace struct {
	mu  sync.Mutex
	out *pcapgo.NgWriter
	buf gopacket.SerializeBuffer
	err error
}

// NewTrace begins a trace on w. Every datagram is written through to w before
// it is handed on, so a file is complete even when the process dies.
func NewTrace(w io.Writer) (*Trace, error) {
	out, err := pcapgo.NewNgWriterInterface(w,
		pcapgo.NgInterface{Name: "turnwasm", LinkType: layers.LinkTypeRaw, OS: runtime.GOOS},
		pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Application: "turnwasm"}})
	if err != nil {
		return nil, err
	}
	if err := out.Flush(); err != nil {
		return nil, err
	}
	return &Trace{out: out, buf: gopacket.NewSerializeBuffer()}, nil
}

// Err is the first error of the writer; nothing is written after it.
func (t *Trace) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// datagram writes one. A nil Trace writes nothing.
func (t *Trace) datagram(at time.Time, from, to netip.AddrPort, payload []byte) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = t.write(at, from, to, payload)
	}
}

func (t *Trace) write(at time.Time, from, to netip.AddrPort, payload []byte) error {
	udp := &layers.UDP{SrcPort: layers.UDPPort(from.Port()), DstPort: layers.UDPPort(to.Port())}
	ip := ipLayer(from.Addr().Unmap(), to.Addr().Unmap(), layers.IPProtocolUDP)
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		return err
	}
	return t.packet(at, ip.(gopacket.SerializableLayer), udp, gopacket.Payload(payload))
}

// packet writes one through to the file.
func (t *Trace) packet(at time.Time, of ...gopacket.SerializableLayer) error {
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(t.buf, options, of...); err != nil {
		return err
	}
	packet := t.buf.Bytes()
	info := gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(packet), Length: len(packet)}
	if err := t.out.WritePacket(info, packet); err != nil {
		return err
	}
	return t.out.Flush()
}

func ipLayer(from, to netip.Addr, protocol layers.IPProtocol) gopacket.NetworkLayer {
	if from.Is4() && to.Is4() {
		return &layers.IPv4{
			Version: 4, TTL: 64, Protocol: protocol,
			SrcIP: net.IP(from.AsSlice()), DstIP: net.IP(to.AsSlice()),
		}
	}
	src, dst := from.As16(), to.As16()
	return &layers.IPv6{
		Version: 6, HopLimit: 64, NextHeader: protocol,
		SrcIP: src[:], DstIP: dst[:],
	}
}
