//go:build unix

package core

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/turnwasm/turnwasm/host"
)

var errClosed = net.ErrClosed

// Payload is one that came.
type Payload struct {
	Data []byte
	Peer netip.AddrPort
}

// Config is turnwasm_config.
type Config struct {
	host.Config
	CAFile  string
	Timeout int64 // ms; 0 = none
}

const (
	mostQueue  = 1 << 16
	mostEvents = 64
	// MostPayload is the longest that UDP has.
	MostPayload = 65535
	// between the host's queue and ours few payloads are under way.
	handed = 64
)

// Socket is a turnwasm_socket.
type Socket struct {
	*host.Conn
	rt *runtime

	payloads *queue[Payload]
	events   *queue[host.Event]
	pumps    sync.WaitGroup
	freed    chan struct{}

	mu       sync.Mutex
	callback *callback // the last that was set, taken back or not
	reading  bool
	closing  bool
}

// Dial answers a socket's handle.
func (l *Library) Dial(h uint64, c Config) (uint64, error) {
	rt, home, err := l.runtime(h)
	if err != nil {
		return 0, err
	}
	if c.ReceiveQueue > mostQueue {
		return 0, refuse(Argument, "receive_queue is at most %d", mostQueue)
	}
	if c.CAFile != "" {
		if c.TLS, err = authorities(c.CAFile); err != nil {
			return 0, &Error{Transport, err}
		}
	}
	if err := c.Check(); err != nil {
		return 0, &Error{Argument, err}
	}
	ctx, cancel := patience(c.Timeout)
	defer cancel()
	conn, err := rt.Dial(ctx, c.Config)
	if err != nil {
		return 0, err
	}
	return l.admit(conn, rt, home)
}

// admit gives the Conn a handle.
func (l *Library) admit(conn *host.Conn, rt *runtime, home uint64) (uint64, error) {
	h := l.sockets.add(newSocket(conn, rt))
	if _, err := l.runtimes.get(home); err != nil { // it was closed meanwhile, and has not seen this one
		_, _ = l.Close(h, 0, true)
		return 0, err
	}
	return h, nil
}

// newSocket begins to take the Conn's events.
func newSocket(conn *host.Conn, rt *runtime) *Socket {
	s := &Socket{
		Conn: conn, rt: rt, payloads: newQueue[Payload](handed), events: newQueue[host.Event](mostEvents), freed: make(chan struct{}),
	}
	s.pumps.Go(s.pumpEvents)
	return s
}

// Socket finds one.
func (l *Library) Socket(h uint64) (*Socket, error) { return l.sockets.get(h) }

// pumpEvents ends with the Conn.
func (s *Socket) pumpEvents() {
	for e := range s.Events() {
		if !s.events.put(e) {
			return
		}
	}
	s.events.end(&Error{Closed, errClosed})
}

// read begins to take payloads from the Conn, once somebody wants them: it takes
// room for the longest. The caller has the lock.
func (s *Socket) read() {
	if !s.reading && !s.closing {
		s.reading = true
		s.pumps.Go(s.pumpPayloads)
	}
}

// wanted is read for whoever has no lock.
func (s *Socket) wanted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read()
}

func (s *Socket) pumpPayloads() {
	room := make([]byte, MostPayload)
	for {
		n, peer, err := s.ReadFromAddrPort(room)
		if err != nil {
			s.payloads.end(err)
			return
		}
		if !s.payloads.put(Payload{append([]byte(nil), room[:n]...), peer}) {
			return
		}
	}
}

// Receive fills into with payloads, at least one.
func (s *Socket) Receive(into []Payload, timeout int64) (int, error) {
	s.wanted()
	return s.payloads.take(into, Milliseconds(timeout), nil)
}

// NextEvent takes one.
func (s *Socket) NextEvent(timeout int64) (host.Event, error) {
	var one [1]host.Event
	_, err := s.events.take(one[:], Milliseconds(timeout), nil)
	return one[0], err
}

// FD is readable while there is a payload.
func (s *Socket) FD() (int, error) {
	s.wanted()
	return s.payloads.fd()
}

// EventFD is readable while there is an event.
func (s *Socket) EventFD() (int, error) { return s.events.fd() }

// Ask makes a request that waits for the server's answer.
func (s *Socket) Ask(timeout int64, request func(ctx context.Context) error) error {
	ctx, cancel := patience(timeout)
	defer cancel()
	return request(ctx)
}

// Permit asks for permissions.
func (s *Socket) Permit(timeout int64, peers []netip.Addr) error {
	return s.Ask(timeout, func(ctx context.Context) error { return s.CreatePermission(ctx, peers...) })
}

// Close releases, and frees the handle. within says that it is called by a
// callback: then none is waited for, its own or one that waits for it.
func (l *Library) Close(h uint64, linger int64, within bool) (host.Closed, error) {
	s, err := l.sockets.get(h)
	if err != nil {
		return host.Closed{}, err
	}
	verdict, err := s.CloseWith(context.Background(), max(0, Milliseconds(linger)))
	if err != nil {
		return verdict, err
	}
	last := s.lastCallback()
	if l.sockets.drop(h) {
		s.free(within)
	} else if !within {
		<-s.freed // another call is at it
		last.wait(false)
	}
	return verdict, nil
}

// lastCallback is the one that no other will follow, for the socket closes.
func (s *Socket) lastCallback() *callback {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	return s.callback
}

// free ends what goes on beside the Conn, which is closed.
func (s *Socket) free(within bool) {
	defer close(s.freed)
	s.lastCallback().wait(within) // it has heard of the end by itself
	s.payloads.close()
	s.events.close()
	if !within {
		s.pumps.Wait()
	}
}

// Authenticate sets the credentials of the next request.
func (s *Socket) Authenticate(username, password string) error {
	err := s.SetCredentials(username, password)
	if _, coded := known(err); err != nil && !coded {
		return &Error{Argument, err}
	}
	return err
}

// Now is an instant as turnwasm.h has them: ms since 1970, 0 for none.
func Now(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
