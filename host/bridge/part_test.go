package bridge

import (
	"net"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/host/hosttest"
)

func TestADeadSessionReleases(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, server hosttest.Server) {
		r, b := newRig(t, nil, server.Addr()), newBrowser(t)
		for name, end := range map[string]func(*page){
			"the connection ends":            (*page).die,
			"the session ends":               (*page).close,
			"the session ends with an error": func(p *page) { p.session.CloseWithError(17, "crash") },
		} {
			t.Run(name, func(t *testing.T) {
				before := r.metric("partings_total", "result", "released")
				p, other := r.allocated(b, server.Addr()), r.allocated(b, server.Addr())
				wantHeld(t, server, 2)
				end(p)
				wantHeld(t, server, 1)
				if outcome, err := other.release(soon(t)); err != nil {
					t.Errorf("another session: %v, %v", outcome, err)
				}
				wantHeld(t, server, 0)
				r.wantMetric(before+1, "partings_total", "result", "released")
				r.wantMetric(0, "sockets")
			})
		}
	})
}

// TestASilentSessionReleases: its packets get lost from one moment to the next.
func TestASilentSessionReleases(t *testing.T) {
	t.Parallel()
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	r := newRig(t, func(c *Config) { c.Limits.Silence = 4 * time.Second }, server.Addr())
	b, mute := newMutableBrowser(t)
	r.allocated(b, server.Addr())
	wantHeld(t, server, 1)
	mute()
	wantHeld(t, server, 0)
	r.wantMetric(1, "partings_total", "result", "released")
	r.wantMetric(0, "connections")
}

func TestAPartingSurvivesLoss(t *testing.T) {
	t.Parallel()
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	proxy := hosttest.NeedProxy(t, server)
	r := newRig(t, nil, proxy.Addr())
	p := r.allocated(newBrowser(t), proxy.Addr())
	proxy.SetFault(hosttest.First(2, hosttest.IsRelease, func(hosttest.Passage) hosttest.Action {
		return hosttest.Action{Drop: true}
	}))
	p.die()
	r.wantMetric(1, "partings_total", "result", "released")
	wantHeld(t, server, 0)
	if n := releases(proxy); n != 3 {
		t.Errorf("%d releases were sent, want 3: two are lost, one is answered", n)
	}
}

func releases(proxy *hosttest.Proxy) (n int) {
	for _, rec := range proxy.Log() {
		if hosttest.IsRelease(rec.Passage) {
			n++
		}
	}
	return n
}

func TestAnUnansweredPartingEnds(t *testing.T) {
	t.Parallel()
	server := silentServer(t)
	r := newRig(t, nil, server.LocalAddr().(*net.UDPAddr).AddrPort())
	p := r.open(newBrowser(t), server.LocalAddr().(*net.UDPAddr).AddrPort())
	p.deposit(time.Minute, goodParting())
	if _, err := p.awaitFrame(soon(t), frameDeposited); err != nil {
		t.Fatal(err)
	}
	p.die()
	r.wantMetric(1, "partings_total", "result", "unanswered")
	r.wantMetric(0, "sockets")
	if n := heard(t, server); n != len(partingWaits) {
		t.Errorf("%d datagrams were sent, want %d", n, len(partingWaits))
	}
}

// heard is how many datagrams the server has got, and must not get another.
func heard(t *testing.T, server *net.UDPConn) (n int) {
	t.Helper()
	const last = "the last one"
	if _, err := server.WriteTo([]byte(last), server.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 2048)
	for ; ; n++ {
		size, err := server.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if string(buf[:size]) == last {
			return n
		}
	}
}

func TestNothingIsSentForWhoOwesNothing(t *testing.T) {
	for name, last := range map[string]func(*page){
		"withdrawn": func(p *page) { p.deposit(0, nil) },
		"expired":   func(p *page) { p.deposit(0, goodParting()) },
		"refused":   func(p *page) { p.deposit(0, nil); p.deposit(time.Minute, []byte("GET / HTTP/1.1")) },
	} {
		t.Run(name, func(t *testing.T) {
			server := silentServer(t)
			at := server.LocalAddr().(*net.UDPAddr).AddrPort()
			r := newRig(t, nil, at)
			p := r.open(newBrowser(t), at)
			p.deposit(time.Minute, goodParting())
			last(p)
			if err := p.settle(soon(t)); err != nil {
				t.Fatal(err)
			}
			p.die()
			r.wantMetric(1, "sessions_ended_total")
			r.wantMetric(0, "sockets")
			if n := heard(t, server); n != 0 {
				t.Errorf("%d datagrams were sent", n)
			}
		})
	}
}
