package host_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// relaying runs the test over both engines, both servers, TCP and TLS.
func relaying(t *testing.T, test func(t *testing.T, server carried, c *host.Conn)) {
	t.Helper()
	a := newAuthority(t)
	for name, start := range map[string]func(*testing.T, *hosttest.Authority) carried{"coturn": carriedByCoturn, "pion": carriedByPion} {
		for _, over := range []string{"TCP", "TLS"} {
			t.Run(name+"/"+over, func(t *testing.T) {
				engines(t, func(t *testing.T, rt *host.Runtime) {
					server := start(t, a)
					c := dial(t, rt, relayConfig(server, a, over))
					test(t, server, c)
					wantClosed(t, c, 10*time.Second, client.Released)
					wantHeld(t, server, 0)
				})
			})
		}
	}
}

func relayConfig(server carried, a *hosttest.Authority, over string) host.Config {
	cfg := config(server.Addr())
	cfg.URL = server.urls[over]
	cfg.TLS, cfg.ServerName = &tls.Config{RootCAs: a.Roots}, certName
	// A named exception: pion signs no success of a ConnectionBind.
	cfg.RelayTCP, cfg.UnsignedBind = true, server.Name() == "pion"
	return cfg
}

var page = func() []byte {
	b := make([]byte, 1<<20)
	src := rand.NewChaCha8([32]byte{})
	_, _ = src.Read(b)
	return b
}()

// servePage serves it, and answers a POST with its body.
func servePage(t *testing.T, l net.Listener) {
	t.Helper()
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			_, _ = w.Write(body)
			return
		}
		w.Header().Set("X-Peer", r.RemoteAddr)
		_, _ = w.Write(page)
	})}
	var running sync.WaitGroup
	running.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() {
		_ = s.Close()
		running.Wait()
	})
}

// An HTTP server behind the relay, fetched from outside by curl: several at once,
// and the bytes are the same.
func TestS03HTTPServerBehindTheRelay(t *testing.T) {
	relaying(t, func(t *testing.T, _ carried, c *host.Conn) {
		if err := c.CreatePermission(soon(t), netip.MustParseAddr("127.0.0.1")); err != nil {
			t.Fatal(err)
		}
		l, err := c.ListenTCP()
		if err != nil {
			t.Fatal(err)
		}
		if l.Addr().String() != c.Relayed().String() || l.Addr().Network() != "tcp" {
			t.Errorf("it listens on %v, relayed is %v", l.Addr(), c.Relayed())
		}
		servePage(t, l)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if got, err := fetch(t, "http://"+c.Relayed().String()); err != nil || !bytes.Equal(got, page) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
			})
		}
		all.Wait()
	})
}

// fetch fetches by curl, or without one by net/http.
func fetch(t *testing.T, url string) ([]byte, error) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			return nil, err
		}
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(url)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		return io.ReadAll(resp.Body)
	}
	file := filepath.Join(t.TempDir(), "page")
	said, err := exec.CommandContext(soon(t), curl, "--silent", "--show-error", "--fail", "--noproxy", "*", "--output", file, url).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	return os.ReadFile(file)
}

// An HTTP client reaches servers outside through DialTCP.
func TestS03HTTPClientThroughTheRelay(t *testing.T) {
	relaying(t, func(t *testing.T, _ carried, c *host.Conn) {
		outside, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		servePage(t, outside)
		transport := &http.Transport{DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			return c.DialTCP(ctx, netip.MustParseAddrPort(addr))
		}}
		defer transport.CloseIdleConnections()
		for range 2 { // over one connection
			resp, err := (&http.Client{Transport: transport}).Post("http://"+outside.Addr().String(), "text/plain", bytes.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || !bytes.Equal(got, page) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		}
	})
}

func TestS03DialTCP(t *testing.T) {
	relaying(t, func(t *testing.T, _ carried, c *host.Conn) {
		outside, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer outside.Close()
		peer := netip.MustParseAddrPort(outside.Addr().String())
		conn, err := c.DialTCP(soon(t), peer)
		if err != nil {
			t.Fatal(err)
		}
		far, err := outside.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer far.Close()
		if conn.LocalAddr().String() != c.Relayed().String() || conn.RemoteAddr().String() != peer.String() || far.RemoteAddr().String() != c.Relayed().String() {
			t.Errorf("from %v to %v, which sees %v; relayed is %v", conn.LocalAddr(), conn.RemoteAddr(), far.RemoteAddr(), c.Relayed())
		}
		if _, err := c.DialTCP(soon(t), peer); !errors.Is(err, client.ErrConnected) {
			t.Errorf("a second connection to the peer: %v", err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(-time.Second))
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a read after its deadline: %v", err)
		}
		_ = conn.SetReadDeadline(time.Time{})
		if _, err := far.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 5)
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
			t.Errorf("%q, %v", got, err)
		}
		if err := conn.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := conn.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a second Close: %v", err)
		}
		if n, err := far.Read(got); n != 0 || err == nil {
			t.Errorf("the peer reads %d, %v after the close", n, err)
		}
	})
}

// Nobody listens there: 447, at once on loopback.
func TestS03DialTCPRefused(t *testing.T) {
	relaying(t, func(t *testing.T, _ carried, c *host.Conn) {
		outside, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		peer := netip.MustParseAddrPort(outside.Addr().String())
		outside.Close()
		_, err = c.DialTCP(soon(t), peer)
		if why := wantRequestError(t, err, "Connect", 447); why.RetryAfter != 10*time.Second {
			t.Errorf("RetryAfter is %v", why.RetryAfter)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := c.DialTCP(ctx, peer); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("within 10 s: %v", err)
		}
	})
}

// Connections end with the Conn, and so does the listener; nobody waits on.
func TestS03EverythingEndsWithTheConn(t *testing.T) {
	a := newAuthority(t)
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := carriedByPion(t, a)
		c := dial(t, rt, relayConfig(server, a, "TLS"))
		if err := c.CreatePermission(soon(t), netip.MustParseAddr("127.0.0.1")); err != nil {
			t.Fatal(err)
		}
		l, err := c.ListenTCP()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.ListenTCP(); err == nil {
			t.Error("a second listener")
		}
		far, err := net.Dial("tcp", c.Relayed().String())
		if err != nil {
			t.Fatal(err)
		}
		defer far.Close()
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if conn.RemoteAddr().String() != far.LocalAddr().String() {
			t.Errorf("the peer is %v, not %v", conn.RemoteAddr(), far.LocalAddr())
		}
		waiting := make(chan error, 2)
		go func() {
			_, err := conn.Read(make([]byte, 1))
			waiting <- err
		}()
		go func() {
			_, err := l.Accept()
			waiting <- err
		}()
		wantClosed(t, c, 10*time.Second, client.Released)
		for range 2 {
			if err := <-waiting; err == nil {
				t.Error("a read or an accept goes on after the close")
			}
		}
		if _, err := c.DialTCP(soon(t), c.Relayed()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("DialTCP after the close: %v", err)
		}
		if _, err := c.ListenTCP(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("ListenTCP after the close: %v", err)
		}
		if _, err := conn.Write([]byte("x")); !errors.Is(err, host.ErrLost) {
			t.Errorf("a write after the close: %v", err)
		}
		_, _ = conn.Close(), l.Close()
		wantHeld(t, server, 0)
	})
}

// Pion's unsigned success is refused unless the caller takes it.
func TestS03UnsignedBindIsAChoice(t *testing.T) {
	a := newAuthority(t)
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := carriedByPion(t, a)
		cfg := relayConfig(server, a, "TCP")
		cfg.UnsignedBind = false
		c := dial(t, rt, cfg)
		outside, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer outside.Close()
		_, err = c.DialTCP(soon(t), netip.MustParseAddrPort(outside.Addr().String()))
		wantRequestError(t, err, "ConnectionBind", 0)
		wantClosed(t, c, 10*time.Second, client.Released)
	})
}

func TestS03RelayTCPWantsAStream(t *testing.T) {
	rt := newRuntime(t, host.Native)
	cfg := config(netip.MustParseAddrPort("127.0.0.1:3478"))
	cfg.RelayTCP = true
	if _, err := rt.Open(soon(t), cfg); err == nil {
		t.Error("a TCP allocation over UDP")
	}
}

func TestS03DatagramsHaveNoConnections(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := hosttest.NeedPion(t, hosttest.PionOptions{})
		c := dial(t, rt, config(server.Addr()))
		if _, err := c.DialTCP(soon(t), c.Relayed()); !errors.Is(err, client.ErrRelay) {
			t.Errorf("DialTCP: %v", err)
		}
		if _, err := c.ListenTCP(); !errors.Is(err, client.ErrRelay) {
			t.Errorf("ListenTCP: %v", err)
		}
		wantClosed(t, c, 10*time.Second, client.Released)
	})
}

// What the peer says before the connection is bound comes with the server's
// answer, or behind it, and none of it is lost.
func TestS03EarlyBytes(t *testing.T) {
	relaying(t, func(t *testing.T, _ carried, c *host.Conn) {
		if err := c.CreatePermission(soon(t), netip.MustParseAddr("127.0.0.1")); err != nil {
			t.Fatal(err)
		}
		l, err := c.ListenTCP()
		if err != nil {
			t.Fatal(err)
		}
		for size := 1; size <= 1<<15; size *= 7 { // coturn keeps 64 KiB for a connection that is not bound, and loses the rest
			far, err := net.Dial("tcp", c.Relayed().String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := far.Write(page[:size]); err != nil {
				t.Fatal(err)
			}
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			got := make([]byte, size)
			if n, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, page[:size]) {
				t.Errorf("%d of %d bytes, %v", n, size, err)
			}
			far.Close()
			if n, err := conn.Read(got); n != 0 || err == nil {
				t.Errorf("after the peer's end: %d bytes, %v", n, err)
			}
			conn.Close()
		}
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept after the close: %v", err)
		}
		again, err := c.ListenTCP()
		if err != nil {
			t.Fatalf("another listener: %v", err)
		}
		again.Close()
	})
}

// A peer may be connected to again as soon as the connection before is closed,
// although the server may not have noticed.
func TestS03DialTCPAgain(t *testing.T) {
	relaying(t, func(t *testing.T, _ carried, c *host.Conn) {
		outside, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer outside.Close()
		for range 3 {
			conn, err := c.DialTCP(soon(t), netip.MustParseAddrPort(outside.Addr().String()))
			if err != nil {
				t.Fatal(err)
			}
			far, err := outside.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write([]byte("x")); err != nil {
				t.Error(err)
			}
			if _, err := io.ReadFull(far, make([]byte, 1)); err != nil {
				t.Error(err)
			}
			conn.Close()
			far.Close()
		}
	})
}

// firstOnly passes the first connection on to the server and says nothing on the
// others.
func firstOnly(t *testing.T, server string) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	var held []net.Conn
	running.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			if held = append(held, in); len(held) > 1 {
				continue
			}
			out, err := net.Dial("tcp", server)
			if err != nil {
				return
			}
			held = append(held, out)
			running.Go(func() { _, _ = io.Copy(out, in); out.Close() })
			running.Go(func() { _, _ = io.Copy(in, out); in.Close() })
		}
	})
	t.Cleanup(func() {
		l.Close()
		for _, c := range held {
			c.Close()
		}
		running.Wait()
	})
	return "turn:" + l.Addr().String() + "?transport=tcp"
}

// A server that does not answer the ConnectionBind holds up neither a DialTCP
// whose context ends nor a close.
func TestS03SilentDataConnection(t *testing.T) {
	a := newAuthority(t)
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := carriedByPion(t, a)
		cfg := relayConfig(server, a, "TCP")
		cfg.URL = firstOnly(t, netip.MustParseAddrPort(server.urls["TCP"][len("turn:"):len(server.urls["TCP"])-len("?transport=tcp")]).String())
		c := dial(t, rt, cfg)
		outside, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer outside.Close()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if far, err := outside.Accept(); err == nil {
				cancel() // the server has connected: the bind is under way, or about to be
				_, _ = io.Copy(io.Discard, far)
				far.Close()
			}
		}()
		if _, err := c.DialTCP(ctx, netip.MustParseAddrPort(outside.Addr().String())); !errors.Is(err, context.Canceled) {
			t.Errorf("DialTCP: %v", err)
		}
		wantClosed(t, c, 10*time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}

// A trace has the binds of data connections, too.
func TestS03Trace(t *testing.T) {
	a := newAuthority(t)
	rt := newRuntime(t, host.Native)
	server := carriedByPion(t, a)
	var written bytes.Buffer
	trace, err := host.NewTrace(&written)
	if err != nil {
		t.Fatal(err)
	}
	cfg := relayConfig(server, a, "TLS")
	cfg.Trace = trace
	c := dial(t, rt, cfg)
	outside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	conn, err := c.DialTCP(soon(t), netip.MustParseAddrPort(outside.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	wantClosed(t, c, 10*time.Second, client.Released)
	for name, header := range map[string][]byte{"request": {0x00, 0x0b}, "success": {0x01, 0x0b}} {
		if !bytes.Contains(written.Bytes(), header) || trace.Err() != nil {
			t.Errorf("no ConnectionBind %s in the trace, %v", name, trace.Err())
		}
	}
}
