package host_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v3"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

const certName = "turn.test"

// authority is a certificate for certName and who has signed it.
type authority struct {
	roots *x509.CertPool
	leaf  tls.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	sign := func(cert, parent *x509.Certificate, key, by *ecdsa.PrivateKey) []byte {
		der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: certName}, DNSNames: []string{certName},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	caKey, key := newKey(), newKey()
	parsed, err := x509.ParseCertificate(sign(ca, ca, caKey, caKey))
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{roots: x509.NewCertPool()}
	a.roots.AddCert(parsed)
	a.leaf = tls.Certificate{Certificate: [][]byte{sign(leaf, parsed, key, caKey)}, PrivateKey: key}
	return a
}

// files writes the leaf for coturn.
func (a *authority) files(t *testing.T) []string {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(a.leaf.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	cert, key := filepath.Join(t.TempDir(), "leaf.pem"), filepath.Join(t.TempDir(), "key.pem")
	for name, b := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: a.leaf.Certificate[0]}, key: {Type: "EC PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"--cert=" + cert, "--pkey=" + key}
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

func carriedByCoturn(t *testing.T, a *authority) carried {
	c := hosttest.NeedCoturn(t, a.files(t)...)
	return carried{c, urls(c.Addr(), c.Secured(), c.Secured())}
}

func carriedByPion(t *testing.T, a *authority) carried {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secured, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{a.leaf}, NextProtos: []string{"stun.turn"}})
	if err != nil {
		t.Fatal(err)
	}
	datagrams, err := dtls.Listen("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")), &dtls.Config{Certificates: []tls.Certificate{a.leaf}})
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
	for name, start := range map[string]func(*testing.T, *authority) carried{"coturn": carriedByCoturn, "pion": carriedByPion} {
		t.Run(name, func(t *testing.T) {
			server := start(t, a)
			for by, url := range server.urls {
				t.Run(by, func(t *testing.T) {
					engines(t, func(t *testing.T, rt *host.Runtime) {
						cfg := config(server.Addr())
						cfg.URL, cfg.ServerName, cfg.TLS = url, certName, &tls.Config{RootCAs: a.roots}
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
			cfg.URL, cfg.TLS = server.urls[by], &tls.Config{RootCAs: a.roots}
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
			cfg.URL, cfg.ServerName, cfg.TLS, cfg.Anonymous = url, certName, &tls.Config{RootCAs: a.roots}, true
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
