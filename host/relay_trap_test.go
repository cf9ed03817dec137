package host

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/turnwasm/turnwasm/host/hosttest"
)

// An engine that dies takes its connections with it: whoever reads or accepts is
// told, and their sockets are closed.
func TestS03ConnectionsOfABrokenInstance(t *testing.T) {
	rt, err := New(t.Context(), WithEngine(Native), WithInstances(1))
	if err != nil {
		t.Fatal(err)
	}
	rt.engines = nativeEngines{rand: rand.Reader}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hosttest.NeedPion(t, hosttest.PionOptions{Listeners: []net.Listener{tcp}})
	c, err := rt.Dial(t.Context(), Config{
		URL: "turn:" + tcp.Addr().String() + "?transport=tcp", Username: hosttest.Username, Password: hosttest.Password,
		RelayTCP: true, UnsignedBind: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	outside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	conn, err := c.DialTCP(t.Context(), netip.MustParseAddrPort(outside.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	far, err := outside.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	l, err := c.ListenTCP()
	if err != nil {
		t.Fatal(err)
	}
	c.driver.mu.Lock()
	c.driver.eng.(*nativeEngine).dead = errors.New("planted")
	c.driver.mu.Unlock()
	if err := c.Refresh(t.Context()); !errors.Is(err, ErrTrapped) {
		t.Errorf("Refresh: %v", err)
	}
	<-c.Done()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, ErrTrapped) {
		t.Errorf("Read: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, ErrTrapped) {
		t.Errorf("Accept: %v", err)
	}
	if _, err := c.DialTCP(t.Context(), netip.MustParseAddrPort(outside.Addr().String())); !errors.Is(err, ErrTrapped) {
		t.Errorf("DialTCP: %v", err)
	}
	if _, err := io.ReadAll(far); err != nil && !errors.Is(err, io.EOF) {
		t.Logf("the peer's connection ends with %v", err)
	}
	_, _ = conn.Close(), l.Close()
	_ = rt.Close()
}
