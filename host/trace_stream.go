package host

import (
	"net/netip"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// mostSegment is the most of a stream that one packet of a trace holds.
const mostSegment = 32 << 10

// streamTrace is where a stream's trace is, guarded by the Trace's lock: what
// was sent and received are the TCP headers' sequence numbers, which begin
// with 1.
type streamTrace struct{ sent, received uint32 }

// sentOn and receivedOn write a part of a stream: as the TCP segments of a
// connection that lost nothing, whatever the network's were.
func (t *Trace) sentOn(s *streamTrace, at time.Time, from, to netip.AddrPort, data []byte) {
	t.segments(&s.sent, &s.received, at, from, to, data)
}

func (t *Trace) receivedOn(s *streamTrace, at time.Time, from, to netip.AddrPort, data []byte) {
	t.segments(&s.received, &s.sent, at, from, to, data)
}

func (t *Trace) segments(before, acked *uint32, at time.Time, from, to netip.AddrPort, data []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(data) > 0 && t.err == nil {
		n := min(len(data), mostSegment)
		t.err = t.segment(*before+1, *acked+1, at, from, to, data[:n])
		*before += uint32(n)
		data = data[n:]
	}
}

func (t *Trace) segment(seq, ack uint32, at time.Time, from, to netip.AddrPort, data []byte) error {
	tcp := &layers.TCP{
		SrcPort: layers.TCPPort(from.Port()), DstPort: layers.TCPPort(to.Port()),
		Seq: seq, Ack: ack, ACK: true, PSH: true, Window: 1<<16 - 1,
	}
	ip := ipLayer(from.Addr().Unmap(), to.Addr().Unmap(), layers.IPProtocolTCP)
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		return err
	}
	return t.packet(at, ip.(gopacket.SerializableLayer), tcp, gopacket.Payload(data))
}
