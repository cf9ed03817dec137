package bridge

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"crypto/tls"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/webtransport-go"
	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host/hosttest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	if at := os.Getenv(childVariable); at != "" {
		os.Exit(runChild(at))
	}
	goleak.VerifyTestMain(m)
}

func netUDP(at netip.AddrPort) *net.UDPAddr { return net.UDPAddrFromAddrPort(at) }

// rig is a bridge that serves.
type rig struct {
	*Bridge
	t       testing.TB
	at      netip.AddrPort
	metrics *prometheus.Registry
	served  chan error
}

var loopback = netip.MustParseAddr("127.0.0.1")

// newRig starts a bridge to the servers; change, if not nil, edits its
// configuration.
func newRig(t testing.TB, change func(*Config), servers ...netip.AddrPort) *rig {
	t.Helper()
	cert, _, err := DevCertificate()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, metrics: prometheus.NewRegistry(), served: make(chan error, 1)}
	cfg := Config{
		TLS:     &tls.Config{Certificates: []tls.Certificate{cert}},
		Origins: []string{pageOrigin}, Metrics: r.metrics,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, s := range servers {
		cfg.Servers = append(cfg.Servers, "turn:"+s.String())
	}
	if change != nil {
		change(&cfg)
	}
	if r.Bridge, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP("udp", netUDP(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	r.at = conn.LocalAddr().(*net.UDPAddr).AddrPort()
	go func() { r.served <- r.Serve(conn) }()
	t.Cleanup(func() {
		r.Close()
		if err := <-r.served; err != nil && !errors.Is(err, ErrClosed) { // stopped before it began
			t.Errorf("Serve: %v", err)
		}
		conn.Close()
	})
	return r
}

func newBrowser(t testing.TB) *browser {
	t.Helper()
	conn, err := net.ListenUDP("udp", netUDP(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{transport: &quic.Transport{Conn: conn}, origin: pageOrigin}
	t.Cleanup(func() {
		b.transport.Close()
		conn.Close()
	})
	return b
}

func soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// serverQuery names a server.
func serverQuery(s netip.AddrPort) string {
	return Path + "?server=" + url.QueryEscape("turn:"+s.String())
}

// open is a page with a session that stands.
func (r *rig) open(b *browser, server netip.AddrPort) *page {
	r.t.Helper()
	p, err := b.open(soon(r.t), r.at, serverQuery(server))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(p.die)
	return p
}

func (b *browser) open(ctx context.Context, at netip.AddrPort, query string) (*page, error) {
	p, err := b.dial(ctx, at, query, nil)
	if err == nil {
		err = p.greet(ctx)
	}
	if err == nil {
		err = p.run()
	}
	return p, err
}

// allocated is a page with an allocation and its parting deposited.
func (r *rig) allocated(b *browser, server netip.AddrPort) *page {
	r.t.Helper()
	p := r.open(b, server)
	if _, err := p.allocate(soon(r.t)); err != nil {
		r.t.Fatal(err)
	}
	if err := p.settle(soon(r.t)); err != nil {
		r.t.Fatal(err)
	}
	return p
}

// wantEnd: the bridge ended the session with this code and a sentence.
func wantEnd(t testing.TB, p *page, code Code) {
	t.Helper()
	err := p.end()
	var end *webtransport.SessionError
	if !errors.As(err, &end) || Code(end.ErrorCode) != code || end.Message == "" || !end.Remote {
		t.Errorf("the session ended with %v (%+v), want %d %v and a reason", err, end, code, code)
	}
}

func wantHeld(t testing.TB, s hosttest.Server, want int) {
	t.Helper()
	if n, err := hosttest.AwaitHeld(soon(t), s, want); err != nil || n != want {
		t.Fatalf("%s holds %d allocations (%v), want %d", s.Name(), n, err, want)
	}
}

// wantMetric waits until a metric has the value; labels are name, value, ...
func (r *rig) wantMetric(want float64, name string, labels ...string) {
	r.t.Helper()
	ctx := soon(r.t)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		got := r.metric(name, labels...)
		if got == want {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			r.t.Fatalf("%s%v is %v, want %v", name, labels, got, want)
		}
	}
}

// metric is a metric's value, summed over the labels that are not given.
func (r *rig) metric(name string, labels ...string) (sum float64) {
	r.t.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != namespace+"_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			has := map[string]string{}
			for _, l := range m.GetLabel() {
				has[l.GetName()] = l.GetValue()
			}
			match := true
			for i := 0; i < len(labels); i += 2 {
				match = match && has[labels[i]] == labels[i+1]
			}
			if match {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// servers runs a test against pion and coturn.
func servers(t *testing.T, test func(t *testing.T, s hosttest.Server)) {
	t.Run("pion", func(t *testing.T) { test(t, hosttest.NeedPion(t, hosttest.PionOptions{})) })
	t.Run("coturn", func(t *testing.T) { test(t, hosttest.NeedCoturn(t)) })
}

// echo sends a payload through the relay and wants it back.
func echo(t testing.TB, p *page, peer netip.AddrPort, size int) {
	t.Helper()
	payload := make([]byte, size)
	for i := range payload {
		payload[i] = byte(i * 7)
	}
	var err error
	p.do(func() { err = p.machine.Send(p.now(), peer, payload) })
	if err != nil {
		t.Fatal(err)
	}
	e, err := p.await(soon(t), client.DataReceived)
	if err != nil {
		t.Fatal(err)
	}
	if string(e.Data) != string(payload) || e.Peer != peer {
		t.Fatalf("%d bytes came back from %v, want the %d that were sent to %v", len(e.Data), e.Peer, size, peer)
	}
}

// mutableConn loses what is sent once it is mute.
type mutableConn struct {
	net.PacketConn
	mute atomic.Bool
}

func (c *mutableConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if c.mute.Load() {
		return len(b), nil
	}
	return c.PacketConn.WriteTo(b, to)
}

// newMutableBrowser is a browser whose machine can lose its network.
func newMutableBrowser(t testing.TB) (b *browser, mute func()) {
	t.Helper()
	conn, err := net.ListenUDP("udp", netUDP(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	m := &mutableConn{PacketConn: conn}
	b = &browser{transport: &quic.Transport{Conn: m}, origin: pageOrigin}
	t.Cleanup(func() {
		b.transport.Close()
		conn.Close()
	})
	return b, func() { m.mute.Store(true) }
}
