package bridge

import (
	"net"
	"testing"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

func TestEchoThroughTheRelay(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, server hosttest.Server) {
		r, peer := newRig(t, nil, server.Addr()), hosttest.NeedEcho(t)
		p := r.open(newBrowser(t), server.Addr())
		if _, err := p.allocate(soon(t)); err != nil {
			t.Fatal(err)
		}
		sizes := []int{1, 100, 1100, 1400}
		if server.Name() == "coturn" { // pion reads 1600 bytes at most
			sizes = append(sizes, 9000)
		}
		for _, size := range sizes {
			echo(t, p, peer.Addr(), size)
		}
		if r.metric("packets_total", "direction", fromPage, "way", "stream") == 0 ||
			r.metric("packets_total", "direction", fromServer, "way", "stream") == 0 {
			t.Error("nothing large went over the stream, both ways")
		}
		outcome, err := p.release(soon(t))
		if outcome != client.Released {
			t.Errorf("the close is %v, %v, want released", outcome, err)
		}
		wantHeld(t, server, 0)
		r.wantMetric(0, "sockets")
		if n := r.metric("partings_total"); n != 0 {
			t.Errorf("%v partings were shipped although the page withdrew", n)
		}
	})
}

func TestPathErrorReachesThePage(t *testing.T) {
	server := silentServer(t)
	nobody := server.LocalAddr().(*net.UDPAddr).AddrPort()
	server.Close() // ICMP from now on
	r := newRig(t, nil, nobody)
	p := r.open(newBrowser(t), nobody)
	p.do(func() { _ = p.machine.Allocate(p.now()) })
	if _, err := p.awaitFrame(soon(t), framePathError); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsNotTURNIsDropped(t *testing.T) {
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	proxy := hosttest.NeedProxy(t, server)
	r := newRig(t, nil, proxy.Addr())
	p := r.open(newBrowser(t), proxy.Addr())
	for _, b := range []string{"", "x", "GET / HTTP/1.1\r\n\r\n", "\x00\x01\x00\x00nocookie............", "\x16\xfe\xff dtls"} {
		p.send([]byte(b))
		p.stream([]byte(b))
	}
	r.wantMetric(10, "dropped_packets_total", "direction", fromPage, "reason", "not_turn")
	if log := proxy.Log(); len(log) > 0 {
		t.Errorf("%d datagrams reached the server", len(log))
	}
	if _, err := p.allocate(soon(t)); err != nil {
		t.Errorf("the session does not go on: %v", err)
	}
}
