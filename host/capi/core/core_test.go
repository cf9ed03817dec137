//go:build linux

package core

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

func config(server hosttest.Server) Config {
	return Config{Config: host.Config{URL: "turn:" + server.Addr().String(), Username: hosttest.Username, Password: hosttest.Password}, Timeout: 20_000}
}

func dial(t *testing.T, l *Library, server hosttest.Server) (uint64, *Socket) {
	t.Helper()
	h, err := l.Dial(0, config(server))
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Socket(h)
	if err != nil {
		t.Fatal(err)
	}
	return h, s
}

func wantCode(t *testing.T, what string, err error, want Code) {
	t.Helper()
	if got := CodeOf(err); got != want {
		t.Errorf("%s: %d (%v), want %d", what, got, err, want)
	}
}

// Eight goroutines do everything at the same time on one socket, one of them
// closes it, and each has a socket with a callback of its own.
func TestEightAtOnce(t *testing.T) {
	server, peer := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t).Addr()
	l := NewLibrary()
	shared, _ := dial(t, l, server)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { hammer(t, l, shared, peer, i == 7) })
		all.Go(func() { alone(t, l, server, peer) })
	}
	all.Wait()
	if err := l.CloseRuntime(0, false); err != nil {
		t.Error(err)
	}
	if held, err := server.Held(); err != nil || held != 0 {
		t.Errorf("the server holds %d, %v", held, err)
	}
	if left := len(l.sockets.all()) + len(l.runtimes.all()); left != 0 {
		t.Errorf("%d handles are left", left)
	}
}

// over says whether err is how a call ends on a socket that another closes.
func over(t *testing.T, what string, err error) bool {
	switch CodeOf(err) {
	case OK, Again, Timeout, QueueFull: // the permission takes its time
		return false
	case Closed, Handle:
	default:
		t.Errorf("%s: %d %v", what, CodeOf(err), err)
	}
	return true
}

func hammer(t *testing.T, l *Library, h uint64, peer netip.AddrPort, closes bool) {
	room := make([]Payload, 4)
	for i := range 200 {
		s, err := l.Socket(h)
		if over(t, "Socket", err) {
			return
		}
		_, err = s.WriteToAddrPort([]byte("hello"), peer)
		if over(t, "send", err) {
			return
		}
		if _, err = s.Receive(room, int64(i%3)); over(t, "Receive", err) {
			return
		}
		if _, err = s.NextEvent(0); over(t, "NextEvent", err) {
			return
		}
		if _, err = s.FD(); over(t, "FD", err) {
			return
		}
		_ = s.Stats()
		if closes && i == 100 {
			_, err = l.Close(h, 2000, false)
			over(t, "Close", err)
		}
	}
}

func alone(t *testing.T, l *Library, server hosttest.Server, peer netip.AddrPort) {
	h, s := dial(t, l, server)
	var ended atomic.Int32
	if err := s.SetCallback(func(p *Payload) {
		if p == nil {
			ended.Add(1)
		}
	}, false); err != nil {
		t.Error(err)
	}
	for range 50 {
		_, err := s.WriteToAddrPort([]byte("alone"), peer)
		over(t, "send", err)
	}
	if closed, err := l.Close(h, 2000, false); err != nil || closed.Outcome != client.Released {
		t.Errorf("Close: %+v, %v", closed, err)
	}
	if ended.Load() != 1 {
		t.Errorf("the callback heard of the end %d times", ended.Load())
	}
	_, err := l.Close(h, 0, false)
	wantCode(t, "Close again", err, Handle)
}

// A callback may close its own socket, and take itself back.
func TestCallbackCloses(t *testing.T) {
	server, peer := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t).Addr()
	l := NewLibrary()
	for _, takesBack := range []bool{false, true} {
		h, s := dial(t, l, server)
		verdict := make(chan client.Outcome, 1)
		if err := s.SetCallback(func(p *Payload) {
			if p == nil {
				return
			}
			if takesBack {
				_ = s.SetCallback(nil, true)
			}
			closed, err := l.Close(h, 2000, true)
			if err != nil {
				t.Error(err)
			}
			verdict <- closed.Outcome
		}, false); err != nil {
			t.Fatal(err)
		}
		if _, err := s.WriteToAddrPort([]byte("x"), peer); err != nil {
			t.Fatal(err)
		}
		if got := <-verdict; got != client.Released {
			t.Errorf("outcome %v", got)
		}
	}
	if err := l.CloseRuntime(0, false); err != nil {
		t.Error(err)
	}
}

// Who takes itself back is not called again, whatever is queued, and not told of
// the end.
func TestTakenBackIsTakenBack(t *testing.T) {
	server, peer := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t).Addr()
	l := NewLibrary()
	h, s := dial(t, l, server)
	var calls atomic.Int32
	first := make(chan struct{})
	if err := s.SetCallback(func(p *Payload) {
		if calls.Add(1) > 1 {
			return
		}
		awaitPayloads(s, 1)
		_ = s.SetCallback(nil, true)
		close(first)
	}, false); err != nil {
		t.Fatal(err)
	}
	flood(t, s, peer, func() bool { return isClosed(first) })
	if _, err := l.Close(h, 2000, false); err != nil {
		t.Error(err)
	}
	if n := calls.Load(); n != 1 {
		t.Errorf("it was called %d times", n)
	}
	if err := l.CloseRuntime(0, false); err != nil {
		t.Error(err)
	}
}

// A callback that payloads come to without end is taken back, and replaced; one
// is told at a time.
func TestReplacedUnderLoad(t *testing.T) {
	server, peer := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t).Addr()
	l := NewLibrary()
	h, s := dial(t, l, server)
	var under atomic.Int32
	tell := func(p *Payload) {
		if under.Add(1) > 1 {
			t.Error("two calls at once")
		}
		if p != nil {
			awaitPayloads(s, 1) // slower than what comes
		}
		under.Add(-1)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 50 {
			if err := s.SetCallback(tell, false); err != nil {
				t.Error(err)
			}
		}
		if err := s.SetCallback(nil, false); err != nil || under.Load() != 0 {
			t.Errorf("%v; a call is under way: %d", err, under.Load())
		}
	}()
	flood(t, s, peer, func() bool { return isClosed(done) })
	if _, err := l.Close(h, 2000, false); err != nil {
		t.Error(err)
	}
	if err := l.CloseRuntime(0, false); err != nil {
		t.Error(err)
	}
}

// Who replaces itself is not told beside the one that follows.
func TestReplacesItself(t *testing.T) {
	server, peer := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t).Addr()
	l := NewLibrary()
	h, s := dial(t, l, server)
	var left atomic.Bool
	followed := make(chan struct{})
	var once sync.Once
	if err := s.SetCallback(func(p *Payload) {
		if err := s.SetCallback(func(p *Payload) {
			if !left.Load() {
				t.Error("the one before has not returned")
			}
			once.Do(func() { close(followed) })
		}, true); err != nil {
			t.Error(err)
		}
		awaitPayloads(s, s.payloads.most) // nobody takes them meanwhile
		left.Store(true)
	}, false); err != nil {
		t.Fatal(err)
	}
	flood(t, s, peer, func() bool { return isClosed(followed) })
	if _, err := l.Close(h, 2000, false); err != nil {
		t.Error(err)
	}
	if err := l.CloseRuntime(0, false); err != nil {
		t.Error(err)
	}
}

// flood has the peer echo until that is enough.
func flood(t *testing.T, s *Socket, peer netip.AddrPort, enough func() bool) {
	t.Helper()
	for !enough() {
		if _, err := s.WriteToAddrPort([]byte("x"), peer); err != nil && CodeOf(err) != QueueFull {
			t.Error(err)
			return
		}
	}
}

// awaitPayloads returns when so many wait behind the present one, or no more will.
func awaitPayloads(s *Socket, n int) {
	for {
		s.payloads.mu.Lock()
		change, there := s.payloads.change, len(s.payloads.items) >= n || s.payloads.ended != nil
		s.payloads.mu.Unlock()
		if there {
			return
		}
		<-change
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// A callback that hears of the end may close the runtime that is being closed,
// and waits for nothing; others wait until it is.
func TestRuntimeIsClosedByItsLastCall(t *testing.T) {
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	l := NewLibrary()
	explicit, err := l.OpenRuntime(RuntimeConfig{Instances: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, rt := range []uint64{explicit, 0} {
		h, err := l.Dial(rt, config(server))
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Socket(h)
		if err != nil {
			t.Fatal(err)
		}
		var second *runtime
		if err := s.SetCallback(func(p *Payload) {
			wantCode(t, "CloseRuntime in the last call", l.CloseRuntime(rt, true), OK)
			var first bool
			if _, second, first, err = l.end(rt); err != nil || second == nil || first || isClosed(second.closed) {
				t.Errorf("who comes now does not wait: %v, %v", first, err)
			}
		}, false); err != nil {
			t.Fatal(err)
		}
		if err := l.CloseRuntime(rt, false); err != nil || second == nil || !isClosed(second.closed) {
			t.Errorf("%v; closed without its last call, or not for who waits", err)
		}
	}
	wantCode(t, "CloseRuntime again", l.CloseRuntime(explicit, false), Handle)
	wantCode(t, "CloseRuntime without one", l.CloseRuntime(0, false), OK)
}

// A runtime that is closed tells nobody any more, of sockets that closed
// themselves neither.
func TestRuntimeWaitsForCallbacks(t *testing.T) {
	server, peer := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t).Addr()
	l := NewLibrary()
	h, s := dial(t, l, server)
	closed, ending := make(chan struct{}), make(chan struct{})
	var over atomic.Bool
	if err := s.SetCallback(func(p *Payload) {
		if p == nil {
			<-ending
			over.Store(true)
			return
		}
		if _, err := l.Close(h, 2000, true); err != nil {
			t.Error(err)
		}
		close(closed)
	}, false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.WriteToAddrPort([]byte("x"), peer); err != nil {
		t.Fatal(err)
	}
	<-closed
	go func() {
		<-s.rt.closed
		close(ending)
	}()
	if err := l.CloseRuntime(0, false); err != nil || !over.Load() {
		t.Errorf("%v; the last call is over: %v", err, over.Load())
	}
}

// A Dial that is done when its runtime is closed has no socket.
func TestDialMeetsClose(t *testing.T) {
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	l := NewLibrary()
	home, err := l.OpenRuntime(RuntimeConfig{Instances: 1})
	if err != nil {
		t.Fatal(err)
	}
	rt, _, err := l.runtime(home)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := rt.Dial(t.Context(), config(server).Config)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.CloseRuntime(home, false); err != nil {
		t.Error(err)
	}
	_, err = l.admit(conn, rt, home)
	wantCode(t, "Dial", err, Handle)
	if left := l.sockets.all(); len(left) != 0 {
		t.Errorf("%d sockets are left", len(left))
	}
}

func readable(t *testing.T, fd int, wait time.Duration) bool {
	t.Helper()
	set := syscall.FdSet{}
	set.Bits[fd/64] |= 1 << (fd % 64)
	timeout := syscall.NsecToTimeval(int64(wait))
	for {
		n, err := syscall.Select(fd+1, &set, nil, nil, &timeout)
		if !errors.Is(err, syscall.EINTR) {
			return n > 0 && err == nil
		}
	}
}

// Two callbacks that close each other's sockets, and one that closes its runtime.
func TestCallbacksCloseEachOther(t *testing.T) {
	server, peer := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t).Addr()
	l := NewLibrary()
	var handles [2]uint64
	var sockets [2]*Socket
	for i := range handles {
		handles[i], sockets[i] = dial(t, l, server)
	}
	var both, done sync.WaitGroup
	both.Add(2)
	for i, s := range sockets {
		done.Add(1)
		if err := s.SetCallback(func(p *Payload) {
			if p == nil {
				return
			}
			both.Done()
			both.Wait() // both are in their callbacks
			_, err := l.Close(handles[1-i], 2000, true)
			over(t, "Close", err)
			over(t, "CloseRuntime", l.CloseRuntime(0, true))
			done.Done()
		}, false); err != nil {
			t.Fatal(err)
		}
		if _, err := s.WriteToAddrPort([]byte("x"), peer); err != nil {
			t.Fatal(err)
		}
	}
	done.Wait()
}

// The descriptors say what is there, level by level.
func TestDescriptors(t *testing.T) {
	server, peer := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t).Addr()
	l := NewLibrary()
	h, s := dial(t, l, server)
	events, err := s.EventFD()
	if err != nil || !readable(t, events, 10*time.Second) {
		t.Fatalf("no event is told: %v", err)
	}
	if e, err := s.NextEvent(0); err != nil || e.Kind != client.Allocated {
		t.Errorf("%v, %v", e.Kind, err)
	}
	fd, err := s.FD()
	if err != nil || readable(t, fd, 0) {
		t.Fatalf("readable before anything came: %v", err)
	}
	room := make([]Payload, 1)
	_, err = s.Receive(room, 0)
	wantCode(t, "Receive of nothing", err, Again)
	for range 2 {
		if _, err := s.WriteToAddrPort([]byte("x"), peer); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if !readable(t, fd, 10*time.Second) {
			t.Fatal("not readable")
		}
		if n, err := s.Receive(room, 0); n != 1 || err != nil || room[0].Peer != peer {
			t.Errorf("%d, %v, %v", n, err, room[0].Peer)
		}
	}
	if readable(t, fd, 0) {
		t.Error("readable when all was taken")
	}
	_, err = s.Receive(room, 1)
	wantCode(t, "Receive of nothing, in time", err, Timeout)
	waits := make(chan error, 1)
	go func() {
		_, err := s.Receive(room, -1)
		waits <- err
	}()
	if _, err := l.Close(h, 2000, false); err != nil {
		t.Error(err)
	}
	wantCode(t, "Receive while it is closed", <-waits, Closed)
	_, err = s.FD()
	wantCode(t, "FD of a closed socket", err, Closed)
	if err := l.CloseRuntime(0, false); err != nil {
		t.Error(err)
	}
}

// A runtime takes its sockets with it.
func TestRuntimesEnd(t *testing.T) {
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	l := NewLibrary()
	rt, err := l.OpenRuntime(RuntimeConfig{Instances: 1})
	if err != nil {
		t.Fatal(err)
	}
	h, err := l.Dial(rt, config(server))
	if err != nil {
		t.Fatal(err)
	}
	other, _ := dial(t, l, server)
	if err := l.CloseRuntime(rt, false); err != nil {
		t.Error(err)
	}
	_, err = l.Socket(h)
	wantCode(t, "a socket of a closed runtime", err, Handle)
	_, err = l.Dial(rt, config(server))
	wantCode(t, "Dial in a closed runtime", err, Handle)
	wantCode(t, "CloseRuntime again", l.CloseRuntime(rt, false), Handle)
	if _, err := l.Socket(other); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := l.CloseRuntime(0, false); err != nil {
			t.Error(err)
		}
	}
	if held, err := server.Held(); err != nil || held != 0 {
		t.Errorf("the server holds %d, %v", held, err)
	}
}

func TestCodes(t *testing.T) {
	l := NewLibrary()
	dialWith := func(change func(*Config)) error {
		c := Config{Config: host.Config{URL: "turn:127.0.0.1:1", Username: "u", Password: "p"}, Timeout: 20_000}
		change(&c)
		_, err := l.Dial(0, c)
		return err
	}
	wantCode(t, "nobody there", dialWith(func(c *Config) {}), Request)
	wantCode(t, "a URL", dialWith(func(c *Config) { c.URL = "x" }), Argument)
	wantCode(t, "a name", dialWith(func(c *Config) { c.URL = "turn:none.invalid:1" }), Transport)
	wantCode(t, "a local address", dialWith(func(c *Config) { c.LocalAddr = "192.0.2.1" }), Transport)
	wantCode(t, "TLS to nobody", dialWith(func(c *Config) { c.URL, c.ServerName = "turns:127.0.0.1:1", "x.test" }), Transport)
	wantCode(t, "a stream that ends", dialWith(func(c *Config) { c.URL = "turn:" + hangsUp(t) + "?transport=tcp" }), Request)
	wantCode(t, "TLS that ends", dialWith(func(c *Config) { c.URL, c.ServerName = "turns:"+hangsUp(t), "x.test" }), Transport)
	wantCode(t, "no password", dialWith(func(c *Config) { c.Password = "" }), Argument)
	wantCode(t, "too long a queue", dialWith(func(c *Config) { c.ReceiveQueue = mostQueue + 1 }), Argument)
	wantCode(t, "nothing", nil, OK)
	wantCode(t, "a panic", fmt.Errorf("x: %w", abi.ErrPanic), Internal)
	_, err := l.OpenRuntime(RuntimeConfig{Instances: -1})
	wantCode(t, "a negative number", err, Argument)
	h, socket := dial(t, l, hosttest.NeedPion(t, hosttest.PionOptions{}))
	wantCode(t, "a channel that is none", socket.UnbindChannel(netip.MustParseAddrPort("192.0.2.1:1")), Argument)
	wantCode(t, "a permission for nobody", socket.Permit(0, []netip.Addr{{}}), Address)
	if _, err := l.Close(h, 2000, false); err != nil {
		t.Error(err)
	}
	if err := l.CloseRuntime(0, false); err != nil {
		t.Error(err)
	}
}

// hangsUp is a TCP server that has nothing to say.
func hangsUp(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

// Until is the latest of all that failed.
func TestUntil(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	err := fmt.Errorf("dial: %w", errors.Join(&host.RequestError{Until: early}, &host.CloseError{Closed: host.Closed{Until: late}}))
	if got := Until(err); !got.Equal(late) || !Until(nil).IsZero() {
		t.Errorf("%v", got)
	}
}

// A server that is left alone is so for what is left of the time.
func TestRetryAfter(t *testing.T) {
	now := time.Unix(100, 0)
	old := &host.RequestError{Code: 486, RetryAfter: time.Minute}
	for _, c := range []struct {
		err  error
		want time.Duration
	}{
		{nil, 0}, {old, time.Minute},
		{fmt.Errorf("dial: %w", &host.LeftAloneError{Until: now.Add(time.Second), Cause: old}), time.Second},
		{&host.LeftAloneError{Until: now.Add(-time.Second), Cause: old}, 0},
	} {
		if got := RetryAfter(c.err, now); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}

// What a runtime's close may have left behind is what the last of its sockets has.
func TestRuntimeSaysUntil(t *testing.T) {
	server := hosttest.NeedPion(t, hosttest.PionOptions{})
	l := NewLibrary()
	var latest time.Time
	for _, lifetime := range []time.Duration{10, 10, 20, 10, 10} {
		c := config(server)
		c.Lifetime, c.Linger = lifetime*time.Minute, -1
		h, err := l.Dial(0, c)
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Socket(h)
		if err != nil {
			t.Fatal(err)
		}
		if until := time.Now().Add(s.Lifetime()); until.After(latest) {
			latest = until
		}
	}
	err := l.CloseRuntime(0, false)
	wantCode(t, "a runtime that waits for no verdict", err, Request)
	if got := Until(err); got.Before(latest.Add(-time.Minute)) {
		t.Errorf("until %v, want about %v", got, latest)
	}
}
