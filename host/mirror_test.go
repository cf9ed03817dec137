package host

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// mirror is the scripted server model on a socket. What comes on a channel goes
// back as it came, without a memory allocation.
type mirror struct {
	sock   *net.UDPConn
	server *turntest.Server
	start  time.Time
	done   chan struct{}

	mu   sync.Mutex
	saw  []byte // what came, in order: 'd' for a payload, 'r' for a release
	keep bool   // note what comes
	mute bool   // nothing goes back
}

func newMirror(t testing.TB) *mirror {
	t.Helper()
	sock, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	_ = sock.SetReadBuffer(4 << 20)
	m := &mirror{
		sock: sock, start: time.Now(), done: make(chan struct{}),
		server: turntest.NewServer(turntest.ServerConfig{
			Addr: sock.LocalAddr().(*net.UDPAddr).AddrPort(), Realm: hosttest.Realm,
			Users: map[string]string{hosttest.Username: hosttest.Password},
		}),
	}
	go m.run()
	t.Cleanup(func() {
		sock.Close()
		<-m.done
	})
	return m
}

func (m *mirror) addr() netip.AddrPort { return m.sock.LocalAddr().(*net.UDPAddr).AddrPort() }

func (m *mirror) run() {
	defer close(m.done)
	b := make([]byte, maxDatagram)
	for {
		n, from, err := m.sock.ReadFromUDPAddrPort(b)
		if isPathError(err) {
			continue // of a client that is gone
		}
		if err != nil {
			return
		}
		m.take(b[:n], from)
	}
}

func (m *mirror) take(b []byte, from netip.AddrPort) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(b) > 0 && b[0]>>4 == 4 {
		m.note('d')
		if !m.mute {
			_, _ = m.sock.WriteToUDPAddrPort(b, from)
		}
		return
	}
	if msg, err := turntest.Decode(b); err == nil && msg.Method == turntest.MethodRefresh {
		if lifetime, ok := msg.Lifetime(); ok && lifetime == 0 {
			m.note('r')
		}
	}
	m.server.Handle(time.Since(m.start), m.addr(), from, b)
	for d, ok := m.server.Poll(); ok; d, ok = m.server.Poll() {
		_, _ = m.sock.WriteToUDPAddrPort(d.Data, d.To)
	}
}

func (m *mirror) note(what byte) {
	if m.keep {
		m.saw = append(m.saw, what)
	}
}

// noted begins to note what comes, and answers what was noted so far.
func (m *mirror) noted() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	saw := string(m.saw)
	m.saw, m.keep = nil, true
	return saw
}

func (m *mirror) held() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.server.Allocations()
}

// mirrored runs the test over both engines, with a Conn whose channel to
// benchPeer leads to a mirror.
func mirrored(t *testing.T, test func(t *testing.T, c *Conn, m *mirror)) {
	for _, e := range []Engine{Native, Wasm} {
		t.Run(e.String(), func(t *testing.T) {
			m := newMirror(t)
			test(t, mirrorConn(t, e, m), m)
		})
	}
}

func mirrorConn(t testing.TB, e Engine, m *mirror) *Conn {
	t.Helper()
	rt, err := New(t.Context(), WithEngine(e))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rt.Close() })
	c, err := rt.Dial(t.Context(), Config{
		URL: "turn:" + m.addr().String(), Username: hosttest.Username, Password: hosttest.Password,
		ReceiveQueue: 4096,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.BindChannel(t.Context(), benchPeer); err != nil {
		t.Fatal(err)
	}
	return c
}
