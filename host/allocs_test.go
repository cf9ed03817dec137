//go:build !race

package host

import (
	"net"
	"testing"
	"time"
)

// The whole of each public call, through real sockets: what is written comes
// back and is read. Nothing is allocated, in any goroutine.
func TestDataPathAllocatesNothing(t *testing.T) {
	mirrored(t, func(t *testing.T, c *Conn, m *mirror) {
		c.SetReadDeadline(time.Now().Add(time.Minute))
		var peer net.Addr = net.UDPAddrFromAddrPort(benchPeer)
		payload, b := make([]byte, 1200), make([]byte, 2048)
		run := []Message{{Buffer: make([]byte, 20*1200+100), Peer: benchPeer, Segment: 1200}}
		unlike := []Message{{Buffer: payload[:10], Peer: benchPeer}, {Buffer: payload, Peer: benchPeer}, {Buffer: payload[:300], Peer: benchPeer}}
		room := make([]Message, 4)
		for i := range room {
			room[i] = Message{Buffer: make([]byte, 1<<16), Segment: 1}
		}
		check := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		read := func(n int) {
			for n > 0 {
				got, err := c.ReadBatch(room)
				check(err)
				for _, m := range room[:got] {
					n -= max(1, (m.N+m.Segment-1)/m.Segment)
				}
			}
		}
		for name, call := range map[string]func(){
			"WriteTo and ReadFrom": func() {
				_, err := c.WriteTo(payload, peer)
				check(err)
				_, _, err = c.ReadFrom(b)
				check(err)
			},
			"the AddrPort forms": func() {
				_, err := c.WriteToAddrPort(payload, benchPeer)
				check(err)
				_, _, err = c.ReadFromAddrPort(b)
				check(err)
			},
			"a run":           func() { _, err := c.WriteBatch(run); check(err); read(21) },
			"unlike payloads": func() { _, err := c.WriteBatch(unlike); check(err); read(3) },
			"ReadFrom of a run": func() {
				_, err := c.WriteBatch(run)
				check(err)
				for range 21 {
					_, _, err = c.ReadFrom(b)
					check(err)
				}
			},
			"a tight loop": func() {
				for range 100 {
					_, err := c.WriteToAddrPort(payload, benchPeer)
					check(err)
				}
				read(100)
			},
		} {
			call() // what is kept for the next call is made now
			if n := testing.AllocsPerRun(50, call); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	})
}
