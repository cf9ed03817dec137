package host_test

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v3"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

const certName = "turn.test"

func newAuthority(t *testing.T) *hosttest.Authority {
	t.Helper()
	a, err := hosttest.NewAuthority(certName)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// carried is a server with an address for each carrier.
type carried struct {
	hosttest.Server
	urls map[string]string
}

func urls(tcp, tls, dtls netip.AddrPort) map[string]string {
	return map[string]string{
		"UDP": "turn:" + tcp.String(), "TCP": "turn:" + tcp.String() + "?transport=tcp", "TLS": "turns:" + tls.String(),
		"DTLS": "turns:" + dtls.String() + "?transport=udp",
	}
}

// certified are coturn's flags for its certificate.
func certified(t *testing.T, a *hosttest.Authority) []string {
	t.Helper()
	flags, err := a.WriteFiles(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return flags
}

func carriedByCoturn(t *testing.T, a *hosttest.Authority) carried {
	c := hosttest.NeedCoturn(t, certified(t, a)...)
	return carried{c, urls(c.Addr(), c.Secured(), c.Secured())}
}

func carriedByPion(t *testing.T, a *hosttest.Authority) carried {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secured, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{a.Leaf}, NextProtos: []string{"stun.turn"}})
	if err != nil {
		t.Fatal(err)
	}
	datagrams, err := dtls.ListenWithOptions("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")), dtls.WithCertificates(a.Leaf))
	if err != nil {
		t.Fatal(err)
	}
	at := func(l net.Listener) netip.AddrPort { return netip.MustParseAddrPort(l.Addr().String()) }
	p := hosttest.NeedPion(t, hosttest.PionOptions{Listeners: []net.Listener{tcp, secured, datagrams}})
	m := urls(at(tcp), at(secured), at(datagrams))
	m["UDP"] = "turn:" + p.Addr().String()
	return carried{p, m}
}

// TestS02Carriers: over each carrier, with both engines, a Conn is what it is
// over UDP.
func TestS02Carriers(t *testing.T) {
	a := newAuthority(t)
	for name, start := range map[string]func(*testing.T, *hosttest.Authority) carried{"coturn": carriedByCoturn, "pion": carriedByPion} {
		t.Run(name, func(t *testing.T) {
			server := start(t, a)
			for by, url := range server.urls {
				t.Run(by, func(t *testing.T) {
					engines(t, func(t *testing.T, rt *host.Runtime) {
						cfg := config(server.Addr())
						cfg.URL, cfg.ServerName, cfg.TLS = url, certName, &tls.Config{RootCAs: a.Roots}
						carries(t, server, dial(t, rt, cfg), sizes(name, by))
					})
				})
			}
		})
	}
}

// sizes: pion reads no ChannelData of fewer than 9 bytes from a listener, and
// waits for padding over DTLS, where there is none.
func sizes(server, by string) []int {
	switch {
	case server == "pion" && by == "DTLS":
		return []int{8, 12, 1000, 1200}
	case server == "pion":
		return []int{5, 6, 7, 8, 999, 1200}
	}
	return []int{1, 2, 3, 4, 999, 1200}
}

func carries(t *testing.T, server carried, c *host.Conn, sizes []int) {
	peer := hosttest.NeedEcho(t).Addr()
	echoes(t, c, peer, sizes)
	if err := c.BindChannel(soon(t), peer); err != nil {
		t.Fatal("BindChannel:", err)
	}
	echoes(t, c, peer, sizes)
	wantClosed(t, c, 5*time.Second, client.Released)
	if _, err := hosttest.AwaitHeld(soon(t), server, 0); err != nil {
		t.Error(err)
	}
}

// echoes sends payloads of every alignment, one after the other.
func echoes(t *testing.T, c *host.Conn, peer netip.AddrPort, sizes []int) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(6 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	send := func(n int) {
		if _, err := c.WriteTo(bytes.Repeat([]byte{byte(n)}, n), net.UDPAddrFromAddrPort(peer)); err != nil {
			t.Fatalf("WriteTo of %d bytes: %v", n, err)
		}
	}
	want := func(n int) {
		got, from, err := c.ReadFrom(buf)
		if err != nil || from.String() != peer.String() || !bytes.Equal(buf[:got], bytes.Repeat([]byte{byte(n)}, n)) {
			t.Fatalf("want an echo of %d bytes, got %d from %v: %v", n, got, from, err)
		}
	}
	for _, n := range sizes {
		send(n)
		want(n)
	}
}

// A certificate that nobody vouches for, or of another name, is refused, and a
// URL with an address says whose it expects.
func TestS02CertificatesAreVerified(t *testing.T) {
	a := newAuthority(t)
	server := carriedByPion(t, a)
	rt := newRuntime(t, host.Native)
	for _, by := range []string{"TLS", "DTLS"} {
		for why, change := range map[string]func(*host.Config){
			"certificate signed by unknown authority": func(cfg *host.Config) { cfg.TLS, cfg.ServerName = nil, certName },
			"not other.test":    func(cfg *host.Config) { cfg.ServerName = "other.test" },
			"Config.ServerName": func(cfg *host.Config) { cfg.ServerName = "" },
		} {
			cfg := config(server.Addr())
			cfg.URL, cfg.TLS = server.urls[by], &tls.Config{RootCAs: a.Roots}
			change(&cfg)
			c, err := rt.Dial(soon(t), cfg)
			if err == nil {
				c.Close()
				t.Errorf("%s: dialled, want %q", by, why)
			} else if !strings.Contains(err.Error(), why) {
				t.Errorf("%s: %v, want %q", by, err, why)
			}
		}
	}
}

// coturn takes no USERHASH: an anonymous user is served where TLS or DTLS hides
// the username, and nowhere else.
func TestA03AnonymousWhereNobodyListens(t *testing.T) {
	a := newAuthority(t)
	server := carriedByCoturn(t, a)
	engines(t, func(t *testing.T, rt *host.Runtime) {
		for by, url := range server.urls {
			cfg := config(server.Addr())
			cfg.URL, cfg.ServerName, cfg.TLS, cfg.Anonymous = url, certName, &tls.Config{RootCAs: a.Roots}, true
			c, err := rt.Dial(soon(t), cfg)
			if hidden := by == "TLS" || by == "DTLS"; hidden != (err == nil) {
				t.Errorf("%s: %v", by, err)
			} else if hidden {
				wantClosed(t, c, 5*time.Second, client.Released)
			} else {
				wantRequestError(t, err, "Allocate", 401)
			}
		}
	})
}
