package bridge

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/webtransport-go"
	"golang.org/x/time/rate"
)

// Path is the protocol's, with its version.
const Path = "/turn/1"

// Bridge is a WebTransport server. New makes one.
type Bridge struct {
	limits  Limits
	tls     *tls.Config
	log     *slog.Logger
	meters  *meters
	targets targets
	origins *origins
	token   token
	wt      *webtransport.Server

	connections *tally
	sockets     *tally // of sessions, until the socket is closed
	lastID      atomic.Uint64

	mu       sync.Mutex
	known    map[*quic.Conn]*connection
	sessions map[*session]struct{}
	draining bool

	empty *sync.Cond // of mu: sessions may have become empty

	stop    context.Context // done when nothing is accepted any more
	halt    context.CancelFunc
	serving sync.WaitGroup // calls of Serve
	running sync.WaitGroup // connections, and with them sessions
}

// New makes a bridge from its configuration; Serve starts it.
func New(cfg Config) (*Bridge, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	servers, err := newTargets(cfg.Servers)
	if err != nil {
		return nil, err
	}
	pages, err := newOrigins(cfg.Origins)
	if err != nil {
		return nil, err
	}
	m, err := newMeters(cfg.Metrics)
	if err != nil {
		return nil, err
	}
	l := cfg.Limits.withDefaults()
	b := &Bridge{
		limits: l, tls: http3.ConfigureTLSConfig(cfg.TLS), log: cfg.Log, meters: m,
		targets: servers, origins: pages, token: newToken(cfg.Token),
		// What is refused still needs a connection to be told so.
		connections: newTally(2*l.Sessions, 2*l.SessionsPerAddress),
		sockets:     newTally(l.Sessions, l.SessionsPerAddress),
		known:       map[*quic.Conn]*connection{},
		sessions:    map[*session]struct{}{},
	}
	b.empty = sync.NewCond(&b.mu)
	b.stop, b.halt = context.WithCancel(context.Background())
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.wt = b.newServer()
	return b, nil
}

// maxHeader bounds the CONNECT's header.
const maxHeader = 8 << 10

func (b *Bridge) newServer() *webtransport.Server {
	h3 := &http3.Server{ // no Logger: it would log the token in the URL
		Handler:        b,
		MaxHeaderBytes: maxHeader,
		ConnContext: func(ctx context.Context, qc *quic.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, b.connectionOf(qc))
		},
	}
	webtransport.ConfigureHTTP3Server(h3)
	return &webtransport.Server{H3: h3, CheckOrigin: b.origins.allow}
}

// A page opens one stream, the CONNECT's, and three unidirectional ones of
// HTTP/3's. Some clients add a few to keep servers honest.
const (
	maxStreams    = 4
	maxUniStreams = 8
)

// Windows: a page sends nothing large on a stream but large packets.
const (
	streamWindow     = 128 << 10
	connectionWindow = 256 << 10
)

func (b *Bridge) quicConfig() *quic.Config {
	return &quic.Config{
		EnableDatagrams:                  true,
		EnableStreamResetPartialDelivery: true,
		MaxIdleTimeout:                   b.limits.Silence,
		KeepAlivePeriod:                  b.limits.Silence / 3,
		HandshakeIdleTimeout:             b.limits.Start,
		MaxIncomingStreams:               maxStreams,
		MaxIncomingUniStreams:            maxUniStreams,
		InitialStreamReceiveWindow:       streamWindow,
		MaxStreamReceiveWindow:           streamWindow,
		InitialConnectionReceiveWindow:   connectionWindow,
		MaxConnectionReceiveWindow:       connectionWindow,
		Allow0RTT:                        false, // a replayed CONNECT would open a socket
	}
}

// unverified is how many handshakes a second begin without a proof of the
// source address; beyond, QUIC asks for one (Retry).
const unverified = 200

// Serve takes sessions from a UDP socket until Shutdown or Close, and then
// answers nil. The caller closes the socket.
func (b *Bridge) Serve(conn net.PacketConn) error {
	if !b.beginServing() {
		return ErrClosed
	}
	defer b.serving.Done()
	newcomers := rate.NewLimiter(unverified, unverified)
	tr := &quic.Transport{Conn: conn, VerifySourceAddress: func(net.Addr) bool { return !newcomers.Allow() }}
	defer tr.Close()
	ln, err := tr.Listen(b.tls, b.quicConfig())
	if err != nil {
		return err
	}
	defer b.running.Wait() // they say goodbye over the socket
	defer ln.Close()
	for {
		qc, err := ln.Accept(b.stop)
		if b.stop.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		b.serveConnection(qc)
	}
}

// ErrClosed: the bridge was stopped before.
var ErrClosed = errors.New("bridge: closed")

func (b *Bridge) beginServing() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.draining {
		return false
	}
	b.serving.Add(1)
	return true
}
