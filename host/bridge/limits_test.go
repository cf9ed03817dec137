package bridge

import (
	"net"
	"strings"
	"testing"

	"github.com/turnwasm/turnwasm/host/hosttest"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// silentServer reads nothing and answers nothing.
func silentServer(t testing.TB) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestSessionLimits(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		code   Code
	}{
		"in all":     {func(c *Config) { c.Limits.Sessions = 2 }, CodeSessionLimit},
		"an address": {func(c *Config) { c.Limits.SessionsPerAddress = 2 }, CodeAddressLimit},
	} {
		t.Run(name, func(t *testing.T) {
			server := hosttest.NeedPion(t, hosttest.PionOptions{})
			r, b := newRig(t, c.change, server.Addr()), newBrowser(t)
			first, second := r.allocated(b, server.Addr()), r.allocated(b, server.Addr())
			p, err := b.dial(soon(t), r.at, Path, nil)
			if err != nil {
				t.Fatal(err)
			}
			wantEnd(t, p, c.code)
			p.die()
			r.wantMetric(1, "refused_total", "reason", c.code.String())
			first.die()
			r.wantMetric(1, "sockets")
			r.wantMetric(1, "connections")
			third := r.allocated(b, server.Addr())
			for _, p := range []*page{second, third} {
				if err := p.settle(soon(t)); err != nil {
					t.Errorf("a session was disturbed: %v", err)
				}
			}
		})
	}
}

// channelData is a packet that passes for TURN.
func channelData(size int) []byte {
	b := make([]byte, size)
	b[0], b[2], b[3] = 0x40, byte((size-4)>>8), byte(size-4)
	return b
}

func TestAFloodIsDroppedAndThenEnded(t *testing.T) {
	t.Parallel()
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	r := newRig(t, func(c *Config) { c.Limits.PacketsPerSecond = 50 }, server.Addr())
	b := newBrowser(t)
	flooder, other := r.allocated(b, server.Addr()), r.allocated(b, server.Addr())
	for flooder.session.Context().Err() == nil {
		flooder.stream(channelData(100))
	}
	wantEnd(t, flooder, CodeFlood)
	r.wantMetric(1, "sessions_ended_total", "reason", "flood")
	if n := r.metric("dropped_packets_total", "direction", fromPage, "reason", "rate"); n < 500 {
		t.Errorf("%v packets were dropped before the end, want ten seconds' worth", n)
	}
	wantHeld(t, server, 1)
	echo(t, other, hosttest.NeedEcho(t).Addr(), 100)
}

func TestAFloodOfBytesIsDropped(t *testing.T) {
	server := silentServer(t)
	at := server.LocalAddr().(*net.UDPAddr).AddrPort()
	r := newRig(t, func(c *Config) { c.Limits.BytesPerSecond = 1 }, at)
	p := r.open(newBrowser(t), at)
	for range 3 { // the burst is one packet of the largest size
		p.stream(channelData(40000))
	}
	r.wantMetric(2, "dropped_packets_total", "direction", fromPage, "reason", "rate")
	r.wantMetric(1, "packets_total", "direction", fromPage, "way", "stream")
}

func TestAFloodFromTheServerIsDropped(t *testing.T) {
	server := silentServer(t)
	at := server.LocalAddr().(*net.UDPAddr).AddrPort()
	r := newRig(t, func(c *Config) { c.Limits.PacketsPerSecond = 20 }, at)
	p := r.open(newBrowser(t), at)
	p.send(channelData(100))
	_, from, err := server.ReadFromUDPAddrPort(make([]byte, 200))
	if err != nil {
		t.Fatal(err)
	}
	for r.metric("dropped_packets_total", "direction", fromServer, "reason", "rate") < 500 {
		if _, err := server.WriteToUDPAddrPort(channelData(100), from); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.settle(soon(t)); err != nil {
		t.Errorf("the session ended for what is not its fault: %v", err)
	}
}

// TestAPageThatDoesNotReadIsNotWaitedFor: what it does not read is dropped.
func TestAPageThatDoesNotReadIsNotWaitedFor(t *testing.T) {
	server := silentServer(t)
	at := server.LocalAddr().(*net.UDPAddr).AddrPort()
	r, b := newRig(t, nil, at), newBrowser(t)
	p, err := b.dial(soon(t), r.at, Path, nil)
	if err == nil {
		err = p.greet(soon(t)) // and reads nothing after that
	}
	if err != nil {
		t.Fatal(err)
	}
	defer p.die()
	p.send(channelData(100))
	_, from, err := server.ReadFromUDPAddrPort(make([]byte, 200))
	if err != nil {
		t.Fatal(err)
	}
	for r.metric("dropped_packets_total", "direction", fromServer, "reason", "stream_full") == 0 {
		if _, err := server.WriteToUDPAddrPort(channelData(60000), from); err != nil {
			t.Fatal(err)
		}
	}
}
