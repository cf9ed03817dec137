package host_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"hash"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// quicBytes go through the relay.
const quicBytes = 10 << 20

// TestQUICThroughTheRelay: a QUIC client whose packets go over a Conn downloads
// 10 MB from a server beyond the relay. QUIC uses what a net.PacketConn
// promises, deadlines and concurrent use among it.
func TestQUICThroughTheRelay(t *testing.T) {
	t.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	engines(t, func(t *testing.T, rt *host.Runtime) {
		relay := hosttest.NeedPion(t, hosttest.PionOptions{})
		cert := selfSigned(t)
		far, sent := serveQUIC(t, cert)
		cfg := config(relay.Addr())
		cfg.ReceiveQueue = 4096
		c := dial(t, rt, cfg)
		if err := c.BindChannel(soon(t), far.AddrPort()); err != nil {
			t.Fatalf("BindChannel: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		roots := x509.NewCertPool()
		roots.AddCert(cert.Leaf)
		q, err := quic.Dial(ctx, c, far, &tls.Config{RootCAs: roots, ServerName: "far", NextProtos: []string{"ten"}}, nil)
		if err != nil {
			t.Fatalf("QUIC: %v", err)
		}
		stream, err := q.AcceptStream(ctx)
		if err != nil {
			t.Fatalf("AcceptStream: %v", err)
		}
		got := sha256.New()
		start := time.Now()
		n, err := io.Copy(got, stream)
		if err != nil || n != quicBytes {
			t.Fatalf("%d bytes came, %v, want %d", n, err, quicBytes)
		}
		if want := <-sent; string(got.Sum(nil)) != string(want.Sum(nil)) {
			t.Error("the bytes that came are not those that were sent")
		}
		s := c.Stats()
		t.Logf("%d MiB in %v, %d payloads received, %d unread", n>>20, time.Since(start).Round(time.Millisecond), s.PayloadsReceived, s.PayloadsUnread)
		q.CloseWithError(0, "")
		wantClosed(t, c, 5*time.Second, client.Released)
		wantHeld(t, relay, 0)
	})
}

// serveQUIC sends quicBytes to the first who comes, and then their hash.
func serveQUIC(t *testing.T, cert *tls.Certificate) (*net.UDPAddr, <-chan hash.Hash) {
	t.Helper()
	l, err := quic.ListenAddr("127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{*cert}, NextProtos: []string{"ten"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan hash.Hash, 1)
	served := make(chan error, 1)
	go func() { served <- sendTen(t.Context(), l, sent) }()
	t.Cleanup(func() {
		l.Close()
		if err := <-served; err != nil && !t.Failed() {
			t.Errorf("the QUIC server: %v", err)
		}
	})
	return l.Addr().(*net.UDPAddr), sent
}

func sendTen(ctx context.Context, l *quic.Listener, sent chan<- hash.Hash) error {
	q, err := l.Accept(ctx)
	if err != nil {
		return err
	}
	stream, err := q.OpenStream()
	if err != nil {
		return err
	}
	sum := sha256.New()
	source := io.LimitReader(mathrand.NewChaCha8([32]byte{}), quicBytes)
	if _, err := io.Copy(io.MultiWriter(stream, sum), source); err != nil {
		return err
	}
	sent <- sum
	if err := stream.Close(); err != nil {
		return err
	}
	<-q.Context().Done() // until the client is gone
	return nil
}

func selfSigned(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"far"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
