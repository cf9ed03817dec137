package host

import (
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/host/hosttest"
)

// nowhere is a wire that takes everything and sends nothing: what is left is
// what a packet costs between the application and the system call.
type nowhere struct{ wire }

func (nowhere) ship(c cargo) (int, error) { return c.count(), nil }

// benchPath runs a benchmark over both engines, with a Conn that has a channel
// to peer and whose datagrams go nowhere.
func benchPath(b *testing.B, packets int, run func(b *testing.B, c *Conn)) {
	for _, e := range []Engine{Native, Wasm} {
		b.Run(e.String(), func(b *testing.B) {
			c := benchConn(b, e)
			real := c.flows[0].wire
			c.out.turn.Lock()
			c.flows[0].wire = nowhere{real}
			c.out.turn.Unlock()
			b.ReportAllocs()
			run(b, c)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(packets), "ns/packet")
			c.out.turn.Lock()
			c.flows[0].wire = real
			c.out.turn.Unlock()
		})
	}
}

var benchPeer = netip.MustParseAddrPort("127.0.0.1:9")

func benchConn(b *testing.B, e Engine) *Conn {
	rt, err := New(b.Context(), WithEngine(e))
	if err != nil {
		b.Fatal(err)
	}
	server := hosttest.NeedPion(b, hosttest.PionOptions{})
	b.Cleanup(func() { rt.Close() }) // before the server goes
	c, err := rt.Dial(b.Context(), Config{
		URL: "turn:" + server.Addr().String(), Username: hosttest.Username, Password: hosttest.Password,
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := c.BindChannel(b.Context(), benchPeer); err != nil {
		b.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	return c
}

func BenchmarkPathRun54(b *testing.B) {
	ms := []Message{{Buffer: make([]byte, 54*1200), Peer: benchPeer, Segment: 1200}}
	benchPath(b, 54, func(b *testing.B, c *Conn) { writeBatches(b, c, ms) })
}

func BenchmarkPathMixed64(b *testing.B) {
	var ms []Message
	for i := range 64 {
		ms = append(ms, Message{Buffer: make([]byte, 300+14*i), Peer: benchPeer})
	}
	benchPath(b, 64, func(b *testing.B, c *Conn) { writeBatches(b, c, ms) })
}

func BenchmarkPathFrames(b *testing.B) {
	var ms []Message
	tails := []int{200, 700, 1000, 332, 52, 852, 444, 1100}
	for i, full := range []int{7, 11, 4, 8, 6, 10, 5, 5} {
		for range full {
			ms = append(ms, Message{Buffer: make([]byte, 1200), Peer: benchPeer})
		}
		ms = append(ms, Message{Buffer: make([]byte, tails[i]), Peer: benchPeer})
	}
	benchPath(b, len(ms), func(b *testing.B, c *Conn) { writeBatches(b, c, ms) })
}

func writeBatches(b *testing.B, c *Conn, ms []Message) {
	for b.Loop() {
		if n, err := c.WriteBatch(ms); err != nil || n != len(ms) {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkPathWriteTo(b *testing.B) {
	payload := make([]byte, 1200)
	benchPath(b, 1, func(b *testing.B, c *Conn) {
		for b.Loop() {
			if _, err := c.WriteToAddrPort(payload, benchPeer); err != nil {
				b.Fatal(err)
			}
		}
	})
}
