package hosttest

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Traffic is numbered payloads both ways between a relay's client and a peer, at
// a steady rate, while something happens to the client.
type Traffic struct {
	peer  *net.UDPConn
	relay net.PacketConn
	tasks sync.WaitGroup
	stop  chan struct{}

	mu     sync.Mutex
	news   *sync.Cond
	mark   time.Time
	ToPeer Stream // from the client
	ToUs   Stream // from the peer
	err    error
}

// Stream is one way of it.
type Stream struct {
	sent, got []time.Time // by number; zero = not (yet)
}

// NewTraffic opens the peer's socket; nothing is sent before Start.
func NewTraffic(ip netip.Addr) (*Traffic, error) {
	peer, err := listenLoopback(ip)
	if err != nil {
		return nil, err
	}
	t := &Traffic{peer: peer, stop: make(chan struct{})}
	t.news = sync.NewCond(&t.mu)
	return t, nil
}

// Peer is the peer's address.
func (t *Traffic) Peer() netip.AddrPort { return localAddr(t.peer) }

// Start begins to send, a payload each way so often. The relay's LocalAddr is
// where the peer sends to. There has to be a permission for the peer.
func (t *Traffic) Start(relay net.PacketConn, every time.Duration) {
	t.relay = relay
	peer, relayed := net.UDPAddrFromAddrPort(t.Peer()), relay.LocalAddr()
	t.tasks.Go(func() { t.send(&t.ToPeer, relay, peer, every) })
	t.tasks.Go(func() { t.send(&t.ToUs, t.peer, relayed, every) })
	t.tasks.Go(func() { t.receive(&t.ToPeer, t.peer) })
	t.tasks.Go(func() { t.receive(&t.ToUs, relay) })
}

// Mark is the moment at which something happens.
func (t *Traffic) Mark() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mark = time.Now()
}

// Await waits until n payloads have been sent each way, since Mark or at all, or
// until a send has failed.
func (t *Traffic) Await(n int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.err == nil && min(t.ToPeer.sentSince(t.mark), t.ToUs.sentSince(t.mark)) < n {
		t.news.Wait()
	}
	return t.err
}

// Stop ends it: what is under way still counts for patience.
func (t *Traffic) Stop(patience time.Duration) error {
	close(t.stop)
	end := time.Now().Add(patience)
	err := errors.Join(t.relay.SetReadDeadline(end), t.peer.SetReadDeadline(end))
	t.tasks.Wait()
	return errors.Join(t.err, err, t.peer.Close())
}

func (t *Traffic) send(s *Stream, from net.PacketConn, to net.Addr, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		t.mu.Lock()
		number := len(s.sent)
		s.sent, s.got = append(s.sent, time.Now()), append(s.got, time.Time{})
		t.mu.Unlock()
		_, err := from.WriteTo(binary.BigEndian.AppendUint32(nil, uint32(number)), to)
		if errors.Is(err, net.ErrClosed) {
			t.fail(err)
			return
		} // any other error is a payload lost
		t.news.Broadcast()
		select {
		case <-tick.C:
		case <-t.stop:
			return
		}
	}
}

func (t *Traffic) receive(s *Stream, at net.PacketConn) {
	buf := make([]byte, 2048)
	for {
		n, _, err := at.ReadFrom(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return
		case refused(err):
		case err != nil:
			t.fail(err)
			return
		case n == 4:
			t.take(s, int(binary.BigEndian.Uint32(buf)))
		}
	}
}

func (t *Traffic) take(s *Stream, number int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if number < len(s.got) && s.got[number].IsZero() {
		s.got[number] = time.Now()
	}
}

func (t *Traffic) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = errors.Join(t.err, err)
	t.news.Broadcast()
}

// Marked is when Mark was called.
func (t *Traffic) Marked() time.Time { return t.mark }

// Sent is how many payloads went out.
func (s *Stream) Sent() int { return len(s.sent) }

// Lost is how many never came.
func (s *Stream) Lost() (n int) {
	for _, at := range s.got {
		if at.IsZero() {
			n++
		}
	}
	return n
}

// Recovery is the time from the instant to the first arrival of a payload that
// was sent after it; negative when none came.
func (s *Stream) Recovery(since time.Time) time.Duration {
	for i, at := range s.got {
		if s.sent[i].After(since) && !at.IsZero() {
			return at.Sub(since)
		}
	}
	return -1
}

func (s *Stream) sentSince(at time.Time) (n int) {
	for i := len(s.sent) - 1; i >= 0 && s.sent[i].After(at); i-- {
		n++
	}
	return n
}
