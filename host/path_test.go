package host

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// await lets others run until it is so.
func await(so func() bool) {
	for !so() {
		runtime.Gosched()
	}
}

func (c *Conn) writersWait() bool {
	c.writes.mu.Lock()
	defer c.writes.mu.Unlock()
	return c.writes.waiting > 0
}

// writeSome writes n payloads and stops at the first error.
func writeSome(c *Conn, n, size int) error {
	for range n {
		if _, err := c.WriteToAddrPort(make([]byte, size), benchPeer); err != nil {
			return err
		}
	}
	return nil
}

// muchMore payloads than a queue holds.
const muchMore = 100_000

func TestFullQueueHoldsWritersBack(t *testing.T) {
	mirrored(t, func(t *testing.T, c *Conn, m *mirror) {
		c.out.turn.Lock() // as one does whose socket is full
		stopped := make(chan error)
		go func() { stopped <- writeSome(c, muchMore, 1000) }()
		await(c.writersWait)
		c.SetWriteDeadline(time.Now())
		if err := <-stopped; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("over its deadline: %v", err)
		}
		c.SetWriteDeadline(time.Time{})
		go func() { stopped <- writeSome(c, muchMore, 1000) }()
		await(c.writersWait)
		c.endTurn()
		if err := <-stopped; err != nil {
			t.Errorf("after there was room again: %v", err)
		}
	})
}

func TestCloseSendsWriterWhoWaitsAway(t *testing.T) {
	mirrored(t, func(t *testing.T, c *Conn, m *mirror) {
		c.out.turn.Lock()
		stopped := make(chan error)
		go func() { stopped <- writeSome(c, muchMore, 1000) }()
		await(c.writersWait)
		closed := make(chan error)
		go func() { closed <- c.Close() }()
		if err := <-stopped; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the writer gets %v, want net.ErrClosed", err)
		}
		c.endTurn()
		if err := <-closed; err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

func TestErrorOfQueuedWriteComesWithTheNext(t *testing.T) {
	mirrored(t, func(t *testing.T, c *Conn, m *mirror) {
		c.out.turn.Lock()
		_, err := c.WriteToAddrPort([]byte("x"), netip.AddrPortFrom(benchPeer.Addr(), 0))
		if err := errors.Join(err, writeSome(c, 3, 100)); err != nil {
			t.Fatalf("a write that is queued: %v", err)
		}
		c.endTurn()
		await(c.writes.idle)
		if err := writeSome(c, 1, 100); !errors.Is(err, client.ErrPeer) {
			t.Errorf("the next write: %v, want the error of the one before", err)
		}
		if err := writeSome(c, 1, 100); err != nil {
			t.Errorf("the one after that: %v", err)
		}
	})
}

func (w *writer) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue == nil && !w.sending
}

// What was written before Close gets there before the release does.
func TestCloseSendsWhatIsQueuedFirst(t *testing.T) {
	mirrored(t, func(t *testing.T, c *Conn, m *mirror) {
		m.noted()
		c.out.turn.Lock()
		if err := writeSome(c, 10, 100); err != nil {
			t.Fatal(err)
		}
		closed := make(chan error)
		go func() { closed <- c.Close() }()
		await(func() bool {
			c.writes.mu.Lock()
			defer c.writes.mu.Unlock()
			return c.writes.shut
		})
		c.endTurn()
		if err := <-closed; err != nil {
			t.Errorf("Close: %v", err)
		}
		if saw := m.noted(); !strings.HasPrefix(saw, strings.Repeat("d", 10)+"r") {
			t.Errorf("the server saw %q, want 10 payloads and then the release", saw)
		}
		if n := m.held(); n != 0 {
			t.Errorf("the server holds %d allocations", n)
		}
	})
}

// A lone write is out when it returns: nobody else has to do anything.
func TestLoneWriteGoesOutAtOnce(t *testing.T) {
	mirrored(t, func(t *testing.T, c *Conn, m *mirror) {
		if err := writeSome(c, 1, 100); err != nil {
			t.Fatal(err)
		}
		if c.writes.flushing.Load() || !c.writes.idle() {
			t.Error("it is queued")
		}
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if n, _, err := c.ReadFrom(make([]byte, 200)); n != 100 || err != nil {
			t.Errorf("its echo: %d bytes, %v", n, err)
		}
	})
}

// After a while the background reads again: what the timers bring about is
// answered although nobody calls anything.
func TestServerIsHeardWhenNobodyReadsAnyMore(t *testing.T) {
	mirrored(t, func(t *testing.T, c *Conn, m *mirror) {
		if err := writeSome(c, 1, 100); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.ReadFrom(make([]byte, 200)); err != nil {
			t.Fatal(err)
		}
		if err := writeSome(c, 1, 100); err != nil { // its echo is not read
			t.Fatal(err)
		}
		await(func() bool {
			c.in.mu.Lock()
			defer c.in.mu.Unlock()
			return c.in.inbox.held == 1 && c.in.leader == background
		})
		if closed, err := c.CloseWith(t.Context(), 5*time.Second); err != nil || closed.Outcome != client.Released {
			t.Errorf("CloseWith: %+v, %v", closed, err)
		}
	})
}

// inTheSocket starts a ReadFrom and comes back when it reads the socket itself.
func inTheSocket(t *testing.T, c *Conn) <-chan error {
	t.Helper()
	read := make(chan error, 1)
	for {
		go func() {
			_, _, err := c.ReadFrom(make([]byte, 200))
			read <- err
		}()
		var leads bool
		await(func() bool {
			c.in.mu.Lock()
			defer c.in.mu.Unlock()
			leads = c.in.leader == application
			return leads || c.in.waiting > 0
		})
		if leads {
			return read
		}
		// The background is in the socket. It comes back with this one's echo.
		if err := errors.Join(writeSome(c, 1, 100), <-read); err != nil {
			t.Fatal(err)
		}
	}
}

// A reader in the socket is ended by its deadline, and the next one is not.
func TestDeadlineReachesTheReaderInTheSocket(t *testing.T) {
	mirrored(t, func(t *testing.T, c *Conn, m *mirror) {
		read := inTheSocket(t, c)
		c.SetReadDeadline(time.Now())
		if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("ReadFrom: %v", err)
		}
		c.SetReadDeadline(time.Now().Add(time.Hour))
		read = inTheSocket(t, c)
		if err := writeSome(c, 1, 100); err != nil {
			t.Fatal(err)
		}
		if err := <-read; err != nil {
			t.Errorf("ReadFrom after that: %v", err)
		}
		read = inTheSocket(t, c)
		c.Close()
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("ReadFrom at the close: %v", err)
		}
	})
}
