package host_test

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

const (
	burstPayloads = 800
	// burstFlight is how many bytes may be on their way. A relay's socket has
	// room for 90 datagrams, whatever their size; and coturn drops payloads for
	// a stream of which it has 32 KiB or more unsent.
	burstFlight = 24 << 10
)

// TestS02Burst: hundreds of payloads of mixed sizes, there and back, in tight
// loops: none is lost on a stream, or comes before one that was sent earlier.
func TestS02Burst(t *testing.T) {
	a := newAuthority(t)
	for name, start := range map[string]func(*testing.T, *hosttest.Authority) carried{"coturn": carriedByCoturn, "pion": carriedByPion} {
		t.Run(name, func(t *testing.T) {
			server := start(t, a)
			for _, by := range []string{"TCP", "TLS"} {
				t.Run(by, func(t *testing.T) {
					engines(t, func(t *testing.T, rt *host.Runtime) {
						cfg := config(server.Addr())
						cfg.URL, cfg.ServerName, cfg.TLS = server.urls[by], certName, &tls.Config{RootCAs: a.Roots}
						bursts(t, dial(t, rt, cfg))
					})
				})
			}
		})
	}
}

// bursts sends by indications first, then on a channel.
func bursts(t *testing.T, c *host.Conn) {
	echo := hosttest.NeedEcho(t)
	if err := c.CreatePermission(soon(t), echo.Addr().Addr()); err != nil {
		t.Fatal("CreatePermission:", err)
	}
	burst(t, c, echo)
	if err := c.BindChannel(soon(t), echo.Addr()); err != nil {
		t.Fatal("BindChannel:", err)
	}
	burst(t, c, echo)
	wantClosed(t, c, 5*time.Second, client.Released)
	if n := c.Stats().PayloadsUnread; n != 0 {
		t.Errorf("%d payloads found no room", n)
	}
}

func burst(t *testing.T, c *host.Conn, echo *hosttest.Echo) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(15 * time.Second)); err != nil {
		t.Fatal(err)
	}
	before, all := echo.Echoed(), numbered(burstPayloads)
	room := make(chan int, burstPayloads) // the size of each one that came back
	wrote := make(chan error, 1)
	go func() { wrote <- writeAll(c, echo.Addr(), all, room) }()
	buf := make([]byte, 4096)
	for i, want := range all {
		n, _, err := c.ReadFromAddrPort(buf)
		if err != nil || !bytes.Equal(buf[:n], want) {
			t.Errorf("want payload %d, of %d bytes, got %d of %d bytes: %v; the peer has heard %d",
				i, len(want), binary.BigEndian.Uint32(buf), n, err, echo.Echoed()-before)
			break
		}
		room <- len(want)
	}
	close(room)
	if err := <-wrote; err != nil {
		t.Error("writing:", err)
	}
}

// numbered are payloads of all alignments, some of them in runs of one size.
func numbered(n int) (all [][]byte) {
	rng, size := rand.New(rand.NewPCG(8656, 1)), 0
	for i := range n {
		if rng.IntN(3) > 0 {
			size = 9 + rng.IntN(1192)
		}
		all = append(all, bytes.Repeat([]byte{byte(i)}, size))
		binary.BigEndian.PutUint32(all[i], uint32(i))
	}
	return all
}

// writeAll writes them one by one and in batches by turns, as many as may be on
// their way. It ends early when room does.
func writeAll(c *host.Conn, peer netip.AddrPort, all [][]byte, room <-chan int) error {
	for flight, round := 0, 0; len(all) > 0; round++ {
		var batch []host.Message
		for ; len(batch) < len(all) && flight < burstFlight; flight += len(all[len(batch)-1]) {
			batch = append(batch, host.Message{Buffer: all[len(batch)], Peer: peer})
		}
		all = all[len(batch):]
		if err := write(c, batch, round%2 == 0); err != nil {
			return err
		}
		for flight >= burstFlight/2 {
			size, ok := <-room
			if !ok {
				return nil
			}
			flight -= size
		}
	}
	return nil
}

func write(c *host.Conn, ms []host.Message, together bool) error {
	if together {
		_, err := c.WriteBatch(ms)
		return err
	}
	for _, m := range ms {
		if _, err := c.WriteToAddrPort(m.Buffer, m.Peer); err != nil {
			return err
		}
	}
	return nil
}
