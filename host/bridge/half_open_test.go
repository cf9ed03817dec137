package bridge

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

func tlsOf(cert tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}

// get is a plain HTTP/3 request.
func get(t *testing.T, b *browser, at netip.AddrPort, path string, status int) {
	t.Helper()
	qc, err := b.connect(soon(t), at)
	if err != nil {
		t.Fatal(err)
	}
	defer qc.CloseWithError(0, "")
	tr := &http3.Transport{EnableDatagrams: true}
	req, err := http.NewRequestWithContext(soon(t), http.MethodGet, "https://"+at.String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	rsp, err := tr.NewClientConn(qc).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, rsp.Body)
	rsp.Body.Close()
	if rsp.StatusCode != status {
		t.Errorf("the status is %d, want %d", rsp.StatusCode, status)
	}
}

func impatient(c *Config) { c.Limits.Start = 2 * time.Second }

func TestAHandshakeWithoutASessionIsClosed(t *testing.T) {
	t.Parallel()
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	r, b := newRig(t, impatient, server.Addr()), newBrowser(t)
	var conns []*quic.Conn
	for range 5 {
		qc, err := b.connect(soon(t), r.at)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, qc)
	}
	other := r.open(b, server.Addr())
	if _, err := other.allocate(soon(t)); err != nil {
		t.Error(err)
	}
	for _, qc := range conns {
		<-qc.Context().Done()
		if why := context.Cause(qc.Context()).Error(); !contains(why, "no session was asked for") {
			t.Errorf("closed with %q", why)
		}
	}
	r.wantMetric(5, "refused_total", "reason", "no_session")
	if err := other.settle(soon(t)); err != nil {
		t.Errorf("a session was disturbed: %v", err)
	}
}

func TestASessionWithoutTrafficIsClosed(t *testing.T) {
	t.Parallel()
	r, b := newRig(t, impatient, elsewhere), newBrowser(t)
	p, err := b.dial(soon(t), r.at, Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantEnd(t, p, CodeIdle)
	p.die()
	r.wantMetric(1, "sessions_ended_total", "reason", "idle")
	r.wantMetric(0, "sockets")
}

func TestAnIdleSessionReleases(t *testing.T) {
	t.Parallel()
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	r := newRig(t, func(c *Config) { c.Limits.Idle = 2 * time.Second }, server.Addr())
	p := r.allocated(newBrowser(t), server.Addr())
	wantEnd(t, p, CodeIdle)
	wantHeld(t, server, 0)
	r.wantMetric(1, "partings_total", "result", "released")
}

func TestConnectionsAreCounted(t *testing.T) {
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	r := newRig(t, func(c *Config) { c.Limits.SessionsPerAddress = 2 }, server.Addr())
	b := newBrowser(t)
	var conns []*quic.Conn
	for range 4 {
		qc, err := b.connect(soon(t), r.at)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, qc)
	}
	r.wantMetric(4, "connections")
	qc, err := b.connect(soon(t), r.at)
	if err != nil {
		t.Fatal(err)
	}
	<-qc.Context().Done()
	if why := context.Cause(qc.Context()).Error(); !contains(why, "too many connections") {
		t.Errorf("closed with %q", why)
	}
	r.wantMetric(1, "refused_total", "reason", "connections")
	for _, qc := range conns {
		_ = qc.CloseWithError(0, "")
	}
	r.wantMetric(0, "connections")
	r.open(b, server.Addr())
}

// TestAConnectWithoutDatagramsIsClosed: HTTP/3 without what WebTransport needs.
func TestAConnectWithoutDatagramsIsClosed(t *testing.T) {
	r, b := newRig(t, nil, elsewhere), newBrowser(t)
	qc, err := b.connect(soon(t), r.at)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := new(http3.Transport).NewClientConn(qc).OpenRequestStream(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(soon(t), http.MethodConnect, "https://"+r.at.String()+Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Proto, req.Header = "webtransport-h3", http.Header{"Origin": {pageOrigin}}
	if err := stream.SendRequestHeader(req); err != nil {
		t.Fatal(err)
	}
	rsp, err := stream.ReadResponse()
	if err != nil || rsp.StatusCode != http.StatusBadRequest {
		t.Errorf("the answer is %v, %v, want status 400", rsp, err)
	}
	<-qc.Context().Done()
	r.wantMetric(1, "refused_total", "reason", "upgrade")
	r.wantMetric(0, "connections")
}
