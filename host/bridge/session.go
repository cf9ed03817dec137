package bridge

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/webtransport-go"
)

// session is a page's: one socket to one TURN server.
type session struct {
	bridge     *Bridge
	wt         *webtransport.Session
	connection *connection
	connect    *connectStream
	log        *slog.Logger
	target     target
	sock       *net.UDPConn

	ctx     context.Context // done when nothing is carried any more
	cancel  context.CancelFunc
	control *outbox
	packets *outbox
	deposit deposit
	up      *allowance // from the page
	down    *allowance // from the server
	upWay   *way
	downWay *way

	started  time.Time
	lastSeen atomic.Int64 // nanoseconds after started, of the last packet from the page; 0: none yet
	failure  chan *ending
}

// What waits for a stream: large packets, control frames.
const (
	packetQueue  = 16
	controlQueue = 16
)

func (b *Bridge) newSession(wt *webtransport.Session, c *connection, connect *connectStream) *session {
	ctx, cancel := context.WithCancel(context.Background())
	return &session{
		bridge: b, wt: wt, connection: c, connect: connect,
		log: b.log.With("session", b.lastID.Add(1), "from", wt.RemoteAddr().String()),
		ctx: ctx, cancel: cancel,
		control: newOutbox(ctx, controlQueue), packets: newOutbox(ctx, packetQueue),
		up: newAllowance(b.limits), down: newAllowance(b.limits),
		upWay: b.meters.way(fromPage), downWay: b.meters.way(fromServer),
		started: time.Now(), failure: make(chan *ending, 1),
	}
}

// run carries packets until the session is over, and then releases.
func (s *session) run() {
	defer s.cancel()
	end := s.open()
	if end == nil {
		end = s.carry()
	}
	s.bridge.meters.ended.WithLabelValues(end.code.String()).Inc()
	s.log.Info("session ended", "reason", end.code.String(), "after", time.Since(s.started).Round(time.Millisecond))
	if s.sock != nil {
		s.part()
		s.sock.Close()
		s.bridge.meters.sockets.Dec()
	}
}

// open gets the socket.
func (s *session) open() *ending {
	sock, server, err := s.target.dial(s.wt.Context())
	if err != nil {
		s.log.Warn("no socket", "server", s.target.uri, "error", err)
		end := endOf(CodeSocket, "no socket to the TURN server")
		s.refuse(end)
		return end
	}
	s.sock = sock
	s.bridge.meters.sockets.Inc()
	s.log.Info("session opened", "server", s.target.uri)
	s.control.offer(s.welcome(server))
	return nil
}

// refuse ends a session that has not begun.
func (s *session) refuse(end *ending) {
	defer s.cancel()
	s.say(end)
	s.connection.leave(end)
}

func (s *session) welcome(server netip.AddrPort) []byte {
	l := s.bridge.limits
	value, _ := json.Marshal(map[string]any{ // strings and numbers
		"server": server.String(), "idleMs": l.Idle.Milliseconds(), "depositBytes": MaxDeposit,
		"packetsPerSecond": l.PacketsPerSecond, "bytesPerSecond": l.BytesPerSecond,
	})
	return controlFrame(frameWelcome, value)
}

// carry returns when the session is over and nobody uses the socket any more.
func (s *session) carry() *ending {
	if !s.bridge.enter(s) {
		s.fail(CodeGoingAway, "the bridge stops")
	}
	defer s.bridge.exit(s)
	var tasks sync.WaitGroup
	for _, task := range []func(){
		s.carryDatagrams, s.carryFromServer, s.serveControl, s.servePackets,
		s.refuseStreams, s.refuseUniStreams,
	} {
		tasks.Go(s.guarded(task))
	}
	end := s.watch()
	s.cancel()
	s.say(end)
	_ = s.sock.SetReadDeadline(time.Unix(1, 0)) // ends carryFromServer
	s.connection.leave(end)                     // ends the others
	tasks.Wait()
	return end
}

// say tells the page why its session ends.
func (s *session) say(end *ending) { s.connect.end(end.code, end.reason) }

// fail ends the session.
func (s *session) fail(code Code, format string, args ...any) {
	select {
	case s.failure <- endOf(code, format, args...):
	default: // it ends already
	}
}

// guarded keeps a fault in one session from ending the others.
func (s *session) guarded(task func()) func() {
	return func() {
		defer func() {
			if fault := recover(); fault != nil {
				s.log.Error("panic", "fault", fault, "stack", string(debug.Stack()))
				s.fail(CodeInternal, "the bridge failed")
			}
		}()
		task()
	}
}

// watch returns when the session is over.
func (s *session) watch() *ending {
	timer := time.NewTimer(min(s.bridge.limits.Start, s.bridge.limits.Idle))
	defer timer.Stop()
	for {
		select {
		case <-s.wt.Context().Done():
			return &ending{}
		case end := <-s.failure:
			return end
		case <-timer.C:
			left := s.patience()
			if left <= 0 {
				return endOf(CodeIdle, "no packet for %v", s.quiet().Round(time.Millisecond))
			}
			timer.Reset(left)
		}
	}
}

// quiet is the time since the last packet from the page.
func (s *session) quiet() time.Duration {
	return time.Since(s.started) - time.Duration(s.lastSeen.Load())
}

// patience is how long the page may stay quiet.
func (s *session) patience() time.Duration {
	if s.lastSeen.Load() == 0 {
		return s.bridge.limits.Start - s.quiet()
	}
	return s.bridge.limits.Idle - s.quiet()
}

func (s *session) seen() { s.lastSeen.Store(int64(time.Since(s.started))) }

// refuseStreams: the page opens none.
func (s *session) refuseStreams() {
	if _, err := s.wt.AcceptStream(s.ctx); err == nil {
		s.fail(CodeProtocol, "the page opens no stream")
	}
}

func (s *session) refuseUniStreams() {
	if _, err := s.wt.AcceptUniStream(s.ctx); err == nil {
		s.fail(CodeProtocol, "the page opens no stream")
	}
}

// enter is false when the bridge stops.
func (b *Bridge) enter(s *session) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sessions[s] = struct{}{}
	b.meters.sessions.Inc()
	return !b.draining
}

func (b *Bridge) exit(s *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.sessions, s)
	b.meters.sessions.Dec()
	b.empty.Broadcast()
}
