package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// stamped is a payload that says who wrote it and which one it is, and whose
// bytes follow from that.
func stamped(b []byte, writer byte, seq uint32) []byte {
	b[0] = writer
	binary.BigEndian.PutUint32(b[1:], seq)
	for i := 5; i < len(b); i++ {
		b[i] = byte(i) + byte(seq) + writer
	}
	return b
}

func checkStamp(b []byte) (writer byte, seq uint32, err error) {
	if len(b) < 5 {
		return 0, 0, fmt.Errorf("a payload of %d bytes", len(b))
	}
	writer, seq = b[0], binary.BigEndian.Uint32(b[1:])
	for i := 5; i < len(b); i++ {
		if b[i] != byte(i)+byte(seq)+writer {
			return 0, 0, fmt.Errorf("payload %d of writer %d has another's byte at %d of %d", seq, writer, i, len(b))
		}
	}
	return writer, seq, nil
}

// hammer is a Conn that many goroutines are at.
type hammer struct {
	t    *testing.T
	c    *Conn
	all  sync.WaitGroup
	read atomic.Int64
	sent atomic.Int64
	came atomic.Int64
	last map[byte]uint32 // by writer, what the mirror saw last; guarded by it
}

// hear is the mirror's: what arrives is whole and in its writer's order.
func (h *hammer) hear(payload []byte) {
	h.came.Add(1)
	writer, seq, err := checkStamp(payload)
	if err != nil {
		h.t.Error(err)
		return
	}
	if last, ok := h.last[writer]; ok && seq <= last {
		h.t.Errorf("writer %d: %d comes behind %d", writer, seq, last)
	}
	h.last[writer] = seq
}

// over says whether err is how a call ends on a Conn that is closed, and fails
// the test if it is no way to end at all.
func (h *hammer) over(what string, err error) bool {
	switch {
	case err == nil, errors.Is(err, os.ErrDeadlineExceeded):
		return false
	case errors.Is(err, net.ErrClosed), errors.Is(err, ErrTrapped):
	default:
		h.t.Errorf("%s: %v", what, err)
	}
	return true
}

const (
	hammerWrites   = 2000
	hammerUnderway = 1000 // more than these the mirror's socket may not hold
)

// may waits until the mirror has room for so many more payloads: what it has to
// drop may be the one datagram of a trapped Conn.
func (h *hammer) may(payloads int64) {
	for h.sent.Add(payloads); h.sent.Load()-h.came.Load() > hammerUnderway && !isClosed(h.c.done); {
		runtime.Gosched()
	}
}

func (h *hammer) writeTo(writer byte) {
	for seq := uint32(1); seq <= hammerWrites; seq++ {
		h.may(1)
		b := stamped(make([]byte, 20+int(seq*37%1180)), writer, seq)
		for {
			_, err := h.c.WriteToAddrPort(b, benchPeer)
			if h.over("WriteTo", err) {
				return
			}
			if err == nil {
				break
			}
		}
	}
}

// writeBatch writes runs, with a shorter last one, and unlike payloads.
func (h *hammer) writeBatch(writer byte) {
	seq := uint32(0)
	for seq < hammerWrites {
		h.may(15)
		size := 100 + int(seq%900)
		run := make([]byte, 9*size+size/2)
		for at := 0; at < len(run); at += size {
			seq++
			stamped(run[at:min(at+size, len(run))], writer, seq)
		}
		ms := []Message{{Buffer: run, Peer: benchPeer, Segment: size}}
		for i := range 5 {
			seq++
			ms = append(ms, Message{Buffer: stamped(make([]byte, 200+100*(i/2)), writer, seq), Peer: benchPeer})
		}
		for len(ms) > 0 {
			n, err := h.c.WriteBatch(ms)
			if h.over("WriteBatch", err) || err == nil && n != len(ms) {
				return
			}
			ms = ms[n:] // a deadline has passed
		}
	}
}

func (h *hammer) take(payload []byte, from netip.AddrPort) {
	if _, _, err := checkStamp(payload); err != nil || from != benchPeer {
		h.t.Errorf("read from %v: %v", from, err)
	}
	h.read.Add(1)
}

func (h *hammer) readFrom() {
	b := make([]byte, 2000)
	for {
		n, from, err := h.c.ReadFromAddrPort(b)
		if h.over("ReadFrom", err) {
			return
		}
		if err == nil {
			h.take(b[:n], from)
		}
	}
}

func (h *hammer) readBatch(segment int) {
	ms := make([]Message, 3)
	for i := range ms {
		ms[i] = Message{Buffer: make([]byte, 5000), Segment: segment}
	}
	for {
		n, err := h.c.ReadBatch(ms)
		if h.over("ReadBatch", err) {
			return
		}
		for _, m := range ms[:n] {
			size := max(1, m.Segment)
			if segment == 0 {
				size = m.N
			}
			for at := 0; at < m.N; at += size {
				h.take(m.Buffer[at:min(at+size, m.N)], m.Peer)
			}
		}
	}
}

// disturb moves deadlines and asks for things until the Conn is done.
func (h *hammer) disturb() {
	for !isClosed(h.c.done) {
		_ = h.c.SetReadDeadline(time.Now().Add(time.Millisecond))
		_ = h.c.SetWriteDeadline(time.Now())
		time.Sleep(30 * time.Millisecond)
		_ = h.c.SetDeadline(time.Time{})
		_ = h.c.Stats()
		if err := h.c.Refresh(h.t.Context()); err != nil {
			h.over("Refresh", err)
		}
	}
}

// begin starts everybody, and answers what waits for the writers.
func (h *hammer) begin() (writers *sync.WaitGroup) {
	writers = new(sync.WaitGroup)
	for i := range byte(4) {
		writers.Go(func() { h.writeTo(i) })
	}
	for i := range byte(2) {
		writers.Go(func() { h.writeBatch(10 + i) })
	}
	h.all.Go(h.readFrom)
	h.all.Go(h.readFrom)
	h.all.Go(func() { h.readBatch(0) })
	h.all.Go(func() { h.readBatch(1) })
	h.all.Go(h.disturb)
	h.all.Go(func() {
		for range h.c.Events() {
		}
	})
	return writers
}

func hammerOn(t *testing.T, m *mirror, c *Conn) *hammer {
	h := &hammer{t: t, c: c, last: make(map[byte]uint32)}
	m.mu.Lock()
	m.hear = h.hear
	m.mu.Unlock()
	return h
}

// Everything that may be done at the same time, at the same time, and then the
// end of it.
func TestHammer(t *testing.T) {
	mirrored(t, func(t *testing.T, c *Conn, m *mirror) {
		h := hammerOn(t, m, c)
		h.begin().Wait()
		await(func() bool { return h.read.Load() > 0 })
		closed, err := c.CloseWith(t.Context(), 5*time.Second)
		if err != nil || closed.Outcome != client.Released {
			t.Errorf("CloseWith: %+v, %v", closed, err)
		}
		h.all.Wait()
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(h.last) != 6 {
			t.Errorf("payloads of %d writers came, want 6", len(h.last))
		}
		t.Logf("%d payloads read, %d dropped", h.read.Load(), c.in.inbox.dropped.Load())
	})
}

func TestHammerClosedUnderway(t *testing.T) {
	mirrored(t, func(t *testing.T, c *Conn, m *mirror) {
		h := hammerOn(t, m, c)
		writers := h.begin()
		await(func() bool { return h.read.Load() > 10 })
		if closed, err := c.CloseWith(t.Context(), 5*time.Second); err != nil || closed.Outcome != client.Released {
			t.Errorf("CloseWith: %+v, %v", closed, err)
		}
		writers.Wait()
		h.all.Wait()
		if n := m.held(); n != 0 {
			t.Errorf("the server holds %d allocations", n)
		}
	})
}

func TestHammerTrapped(t *testing.T) {
	m := newMirror(t)
	c := mirrorConn(t, Native, m)
	h := hammerOn(t, m, c)
	writers := h.begin()
	await(func() bool { return h.read.Load() > 10 })
	c.driver.mu.Lock()
	c.driver.eng.(*nativeEngine).dead = errors.New("planted")
	c.driver.mu.Unlock()
	<-c.Done()
	writers.Wait()
	h.all.Wait()
	if closed, err := c.CloseWith(t.Context(), 0); err != nil || closed.Outcome != client.Unconfirmed || closed.Reason != "trapped" {
		t.Errorf("CloseWith: %+v, %v", closed, err)
	}
	await(func() bool { return m.held() == 0 }) // by its parting datagram
}
