package host_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// streamModel is the simulation's server on TCP. It holds what was allocated on a
// stream that has ended until that expires.
type streamModel struct {
	l     net.Listener
	start time.Time
	tasks sync.WaitGroup
	ended chan string // of each stream: what came, 'd' for a payload, 'r' for a release, 's' for the rest

	mu      sync.Mutex
	model   *turntest.Server
	conns   map[netip.AddrPort]net.Conn
	refuses int  // streams on which an Allocate earns 437
	deaf    bool // nothing more is read
	hearing sync.Cond
}

func needStreamModel(t *testing.T) *streamModel {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &streamModel{l: l, start: time.Now(), ended: make(chan string, 16), conns: map[netip.AddrPort]net.Conn{}}
	s.hearing.L = &s.mu
	s.model = turntest.NewServer(turntest.ServerConfig{
		Addr: s.addr(), Users: map[string]string{hosttest.Username: hosttest.Password},
	})
	s.tasks.Go(s.accept)
	t.Cleanup(func() {
		l.Close()
		s.mu.Lock()
		s.deaf = false
		s.hearing.Broadcast()
		for _, c := range s.conns {
			c.Close()
		}
		s.mu.Unlock()
		s.tasks.Wait()
	})
	return s
}

func (s *streamModel) addr() netip.AddrPort { return netip.MustParseAddrPort(s.l.Addr().String()) }

func (s *streamModel) config() host.Config {
	cfg := config(s.addr())
	cfg.URL += "?transport=tcp"
	return cfg
}

func (s *streamModel) accept() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		s.tasks.Go(func() { s.serve(c) })
	}
}

func (s *streamModel) serve(c net.Conn) {
	from := netip.MustParseAddrPort(c.RemoteAddr().String())
	s.mu.Lock()
	s.conns[from] = c
	refuses := s.refuses > 0
	s.refuses--
	s.mu.Unlock()
	var saw strings.Builder
	var frames turntest.Deframer
	buf := make([]byte, 8<<10)
	for n, err := c.Read(buf); err == nil; n, err = c.Read(buf) {
		for rest := buf[:n]; len(rest) > 0; {
			took, frame, _ := frames.Take(rest)
			rest = rest[took:]
			if frame != nil {
				saw.WriteByte(s.handle(from, frame, refuses))
			}
		}
		s.mu.Lock()
		for s.deaf {
			s.hearing.Wait()
		}
		s.mu.Unlock()
	}
	c.Close()
	s.mu.Lock()
	delete(s.conns, from)
	s.model.EndStream(time.Since(s.start), from)
	s.mu.Unlock()
	s.ended <- saw.String()
}

func (s *streamModel) handle(from netip.AddrPort, frame []byte, refuses bool) (kind byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := turntest.Decode(frame)
	if err != nil {
		return 'd'
	}
	if refuses && m.Method == turntest.MethodAllocate {
		s.conns[from].Write(turntest.Build(m.Method, turntest.Failure, m.ID).Error(437, "").Datagram())
		return 's'
	}
	s.model.HandleStream(time.Since(s.start), from, frame)
	for d, ok := s.model.Poll(); ok; d, ok = s.model.Poll() {
		if to := s.conns[d.To]; to != nil {
			to.Write(d.Data)
		}
	}
	if lifetime, ok := m.Lifetime(); ok && lifetime == 0 && m.Method == turntest.MethodRefresh {
		return 'r'
	}
	return 's'
}

func (s *streamModel) held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.model.Allocations()
}

// each calls f for each stream.
func (s *streamModel) each(f func(c net.Conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		f(c)
	}
}

func (s *streamModel) setDeaf(deaf bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deaf = deaf
	s.hearing.Broadcast()
}

func bound(t *testing.T, rt *host.Runtime, cfg host.Config) *host.Conn {
	t.Helper()
	c := dial(t, rt, cfg)
	if err := c.BindChannel(soon(t), farPeer); err != nil {
		t.Fatal("BindChannel:", err)
	}
	return c
}

// C11: with linger 0 what was written before is written, then the release; then
// the stream ends.
func TestC11LingerZeroWritesFlushesCloses(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := needStreamModel(t)
		c := bound(t, rt, server.config())
		ms := make([]host.Message, 200)
		for i := range ms {
			ms[i] = host.Message{Buffer: make([]byte, 900+i), Peer: farPeer}
		}
		if n, err := c.WriteBatch(ms); err != nil || n != len(ms) {
			t.Fatalf("WriteBatch: %d, %v", n, err)
		}
		wantClosed(t, c, 0, client.Unconfirmed)
		saw := <-server.ended
		if strings.Count(saw, "d") != len(ms) || !strings.HasSuffix(saw, "dr") || server.held() != 0 {
			t.Errorf("the server has seen %q, and holds %d", saw, server.held())
		}
	})
}

// C13 on streams: another stream is from another port.
func TestC13MismatchTakesAnotherStream(t *testing.T) {
	for refused := range 4 {
		engines(t, func(t *testing.T, rt *host.Runtime) {
			server := needStreamModel(t)
			server.mu.Lock()
			server.refuses = refused
			server.mu.Unlock()
			c, err := rt.Dial(soon(t), server.config())
			if refused == 3 {
				wantRequestError(t, err, "Allocate", 437)
				return
			}
			if err != nil {
				t.Fatalf("after %d refusals: %v", refused, err)
			}
			wantClosed(t, c, 5*time.Second, client.Released)
		})
	}
}

// S1: what is no message, here an alert of TLS, ends the stream, and with it the allocation.
func TestS01BrokenStreamIsClosed(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := needStreamModel(t)
		c := dial(t, rt, server.config())
		server.each(func(s net.Conn) { s.Write([]byte{0x15, 3, 3, 0, 2, 2, 40}) })
		wantEvents(t, c, client.StreamBroken, client.AllocationLost)
		if _, _, err := c.ReadFrom(make([]byte, 1)); !errors.Is(err, host.ErrLost) {
			t.Errorf("ReadFrom: %v, want ErrLost", err)
		}
		<-server.ended
		if closed := wantClosed(t, c, time.Second, client.Abandoned); closed.Until.IsZero() {
			t.Errorf("closed %+v, want an Until", closed)
		}
	})
}

// A server that reads nothing any more: who writes waits until its deadline, and
// a Close does not wait for what is unsent.
func TestT02StreamThatIsFull(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := needStreamModel(t)
		c := bound(t, rt, server.config())
		server.setDeaf(true)
		if err := c.SetWriteDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		var err error
		for wrote := 0; err == nil; wrote += 1200 {
			if wrote > 256<<20 {
				t.Fatal("256 MiB are taken that nobody reads")
			}
			_, err = c.WriteToAddrPort(make([]byte, 1200), farPeer)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("WriteTo: %v, want that the deadline is over", err)
		}
		wantClosed(t, c, 100*time.Millisecond, client.Unconfirmed)
	})
}

// silent is a server that answers nothing; heard gets a word when something came.
func silentTCP(t *testing.T) (at string, heard <-chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ch := make(chan struct{}, 4)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			tasks.Go(func() { listenOnly(c, ch) })
		}
	})
	t.Cleanup(func() { l.Close(); tasks.Wait() })
	return l.Addr().String(), ch
}

func listenOnly(c net.Conn, heard chan<- struct{}) {
	defer c.Close()
	buf := make([]byte, 4096)
	for first := true; ; first = false {
		if _, err := c.Read(buf); err != nil {
			return
		}
		if first {
			heard <- struct{}{}
		}
	}
}

func silentUDP(t *testing.T) (at string, heard <-chan struct{}) {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ch := make(chan struct{}, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, _, err := c.ReadFrom(make([]byte, 4096)); err != nil {
				return
			}
			select {
			case ch <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() { c.Close(); <-done })
	return c.LocalAddr().String(), ch
}

// A Dial can be given up while the server keeps it waiting in the handshake; and
// nothing of it is left, which TestMain looks for.
func TestS02DialGivenUpInTheHandshake(t *testing.T) {
	rt := newRuntime(t, host.Native)
	for suffix, start := range map[string]func(*testing.T) (string, <-chan struct{}){"": silentTCP, "?transport=udp": silentUDP} {
		at, heard := start(t)
		ctx, cancel := context.WithCancel(soon(t))
		go func() {
			<-heard
			cancel()
		}()
		cfg := host.Config{URL: "turns:" + at + suffix, ServerName: certName, Username: "u", Password: "p"}
		c, err := rt.Dial(ctx, cfg)
		if err == nil {
			c.Close()
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want that the context was cancelled", cfg.URL, err)
		}
	}
}

// onlyFirst answers the handshake of its first connection.
type onlyFirst struct {
	net.Listener
	config *tls.Config
	first  net.Conn
	heard  chan struct{} // of another one's
}

func (l *onlyFirst) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.first == nil {
			l.first = c
			return tls.Server(c, l.config), nil
		}
		go listenOnly(c, l.heard)
	}
}

// A Close ends the handshake of the stream that was to follow another one.
func TestC15CloseInTheHandshakeOfAReconnect(t *testing.T) {
	a := newAuthority(t)
	engines(t, func(t *testing.T, rt *host.Runtime) {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := &onlyFirst{Listener: tcp, config: &tls.Config{Certificates: []tls.Certificate{a.Leaf}}, heard: make(chan struct{}, 9)}
		hosttest.NeedPion(t, hosttest.PionOptions{Listeners: []net.Listener{l}})
		cfg := config(netip.MustParseAddrPort(tcp.Addr().String()))
		cfg.URL, cfg.Reallocate, cfg.ServerName, cfg.TLS = "turns:"+tcp.Addr().String(), true, certName, &tls.Config{RootCAs: a.Roots}
		c := dial(t, rt, cfg)
		l.first.Close()
		wantEvents(t, c, client.AllocationLost, client.FlowNeeded)
		<-l.heard
		wantClosed(t, c, 2*time.Second, client.Abandoned)
	})
}
