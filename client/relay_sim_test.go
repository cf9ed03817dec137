package client_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

// relayWorld is a client with a TCP allocation, a server and peers. Everything
// is decided by dice of one seed: when bytes arrive and how they are cut, when a
// flow ends, what faults the server has.
type relayWorld struct {
	t     *testing.T
	rng   *rand.Rand
	c     *client.Client
	s     *turntest.Server
	now   time.Duration
	flows map[client.Flow]*simFlow
	// control is the flow of the control connection.
	control client.Flow
	peers   int // that have connected
	// notBefore is when a Connect to a peer may be sent again.
	notBefore map[netip.AddrPort]time.Duration
	closed    client.Outcome
	ready     int
	payload   int
}

// simFlow is a stream between the client and the server.
type simFlow struct {
	down      []byte   // on its way
	messages  [][]byte // on their way up: the model takes whole messages
	peer      netip.AddrPort
	ready     bool
	over      bool // its end was told
	came, fed int  // payload bytes of the peer's
}

func TestS03Simulation(t *testing.T) {
	ready, payload, released := 0, 0, 0
	seeds := 400
	if testing.Short() {
		seeds = 50
	}
	for seed := range seeds {
		w := newRelayWorld(t, uint64(seed))
		for range 1200 {
			w.step()
		}
		w.end()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		ready, payload = ready+w.ready, payload+w.payload
		if w.closed == client.Released {
			released++
		}
	}
	t.Logf("%d seeds: %d connections were ready, %d bytes came, %d closes were released", seeds, ready, payload, released)
	if ready < 4*seeds || payload < 100*seeds || released < seeds/10 {
		t.Error("the simulation brings little about")
	}
}

func newRelayWorld(t *testing.T, seed uint64) *relayWorld {
	w := &relayWorld{
		t: t, rng: rand.New(rand.NewPCG(seed, 6062)), now: time.Hour,
		flows: map[client.Flow]*simFlow{0: {}}, notBefore: map[netip.AddrPort]time.Duration{},
	}
	cfg := turntest.ServerConfig{
		Addr: rigServer, Users: map[string]string{"alice": "secret"}, RelayTCP: true,
		UnsignedBind: w.chance(4), Unreachable: []netip.AddrPort{w.peer(0), w.peer(1)},
		Rand: rand.New(rand.NewPCG(seed, 1)),
	}
	if w.chance(2) {
		for f := range turntest.FaultCount {
			cfg.Rates[f] = 0.004
		}
		cfg.Rates[turntest.Stale] = 0.1
	}
	w.s = turntest.NewServer(cfg)
	config := rigConfig()
	config.Transport, config.Relay, config.UnsignedBind = client.TransportStream, client.RelayTCP, cfg.UnsignedBind
	c, err := client.New(config)
	if err != nil {
		t.Fatal(err)
	}
	w.c = c
	_ = c.Allocate(w.now)
	w.drain()
	return w
}

func (w *relayWorld) chance(n int) bool { return w.rng.IntN(n) == 0 }

func (w *relayWorld) peer(n int) netip.AddrPort {
	return netip.AddrPortFrom(rigPeer.Addr(), uint16(9000+n))
}

// local is a flow's own address.
func (w *relayWorld) local(flow client.Flow) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("203.0.113.9"), uint16(10_000+flow))
}

func (w *relayWorld) bad(format string, args ...any) { w.t.Errorf(format, args...) }

func (w *relayWorld) step() {
	switch w.rng.IntN(30) {
	case 0:
		_ = w.c.Connect(w.now, w.peer(w.rng.IntN(6)))
	case 1:
		_ = w.c.CreatePermission(w.now, rigPeer.Addr())
	case 2:
		w.peers++
		w.s.PeerConnects(w.now, w.c.Relayed(), w.peer(20+w.peers))
	case 3:
		w.talk()
	case 4:
		w.cut()
	case 5:
		if w.chance(30) {
			w.c.Close(w.now, time.Duration(w.rng.IntN(3))*time.Second)
		} else if w.c.Phase() == client.PhaseNew {
			_ = w.c.Allocate(w.now)
		}
	case 6:
		w.wait(time.Duration(w.rng.IntN(6_000)) * time.Millisecond)
	default:
		w.carry()
	}
	w.drain()
}

// each are the flows, in their order.
func (w *relayWorld) each() []client.Flow { return slices.Sorted(maps.Keys(w.flows)) }

// talk has the peer of a connection say something.
func (w *relayWorld) talk() {
	for _, flow := range w.each() {
		f := w.flows[flow]
		if f.ready && !f.over && w.chance(2) {
			more := stream(f.peer, f.fed, 1+w.rng.IntN(50))
			f.fed += len(more)
			w.s.PeerSends(w.now, w.c.Relayed(), f.peer, more)
			return
		}
	}
}

// stream are n bytes of what the peer says, from an offset on.
func stream(peer netip.AddrPort, from, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte((from + i) * int(peer.Port()))
	}
	return b
}

// carry moves bytes of a flow, cut anywhere, one way or the other.
func (w *relayWorld) carry() {
	for _, flow := range w.each() {
		f := w.flows[flow]
		switch {
		case w.chance(4):
		case len(f.messages) > 0:
			m := f.messages[0]
			f.messages = f.messages[1:]
			w.s.Handle(w.now, rigServer, w.local(flow), m)
			return
		case len(f.down) > 0:
			n := 1 + w.rng.IntN(len(f.down))
			data := f.down[:n]
			f.down = f.down[n:]
			for len(data) > 0 {
				data = data[w.c.HandleStream(w.now, flow, data):]
				w.drain()
			}
			return
		}
	}
}

// cut ends a flow.
func (w *relayWorld) cut() {
	for _, flow := range w.each() {
		f := w.flows[flow]
		if (flow != w.control || w.chance(40)) && w.chance(6) {
			w.gone(flow, f)
			w.c.FlowClosed(w.now, flow)
			return
		}
	}
}

func (w *relayWorld) gone(flow client.Flow, f *simFlow) {
	delete(w.flows, flow)
	w.s.StreamEnds(w.now, w.local(flow))
	f.over = true
}

func (w *relayWorld) wait(d time.Duration) {
	to := w.now + d
	for at, ok := w.c.PollTimeout(); ok && at <= to; at, ok = w.c.PollTimeout() {
		w.now = at
		w.c.HandleTimeout(at)
		w.drain()
	}
	w.now = to
	w.s.Tick(w.now)
}

// drain takes everything of the client's and the server's.
func (w *relayWorld) drain() {
	for x, ok := w.c.PollTransmit(); ok; x, ok = w.c.PollTransmit() {
		w.sent(x)
	}
	for e, ok := w.c.PollEvent(); ok; e, ok = w.c.PollEvent() {
		w.event(e)
	}
	if at, ok := w.c.PollTimeout(); ok && at <= w.now {
		w.bad("I3: the next deadline is %v, for %q", at-w.now, w.c.TimeoutReason())
	}
	for d, ok := w.s.Poll(); ok; d, ok = w.s.Poll() {
		if flow := client.Flow(d.To.Port()) - 10_000; d.From == rigServer && w.flows[flow] != nil {
			w.flows[flow].down = append(w.flows[flow].down, d.Data...)
		}
	}
}

func (w *relayWorld) sent(x client.Transmit) {
	if w.closed != 0 {
		w.bad("I8: a datagram after Closed")
	}
	f := w.flows[x.Flow]
	if f == nil {
		return
	}
	f.messages = append(f.messages, bytes.Clone(x.Data))
	m, err := turntest.Decode(x.Data)
	if err != nil {
		w.bad("it sends %v", err)
		return
	}
	if f.ready {
		w.bad("a message on a connection that is ready")
	}
	if (m.Method == turntest.MethodConnectionBind) != (x.Flow != w.control) {
		w.bad("%v on flow %d", m.Method, x.Flow)
	}
	if peer, _ := m.Address(turntest.AttrXORPeerAddress); m.Method == turntest.MethodConnect && w.now < w.notBefore[peer] {
		w.bad("a Connect to %v %v too early", peer, w.notBefore[peer]-w.now)
	}
}

func (w *relayWorld) event(e client.Event) {
	if w.closed != 0 {
		w.bad("I8: %v after Closed", e.Kind)
	}
	f := w.flows[e.Flow]
	switch e.Kind {
	case client.FlowNeeded:
		w.flowNeeded(e)
	case client.ConnectionAttempted:
		if w.chance(2) {
			if err := w.c.AcceptConnection(w.now, e.ConnectionID); err != nil {
				w.bad("AcceptConnection: %v", err)
			}
		}
	case client.ConnectionReady:
		w.ready++
		f.ready, f.peer = true, e.Peer
		w.talkTo(f)
	case client.DataReceived:
		if f == nil || !f.ready || e.Peer != f.peer || !bytes.Equal(e.Data, stream(f.peer, f.came, len(e.Data))) {
			w.bad("flow %d brings %x of %v", e.Flow, e.Data, e.Peer)
			return
		}
		f.came, w.payload = f.came+len(e.Data), w.payload+len(e.Data)
	case client.ConnectionFailed:
		if e.Code == 447 {
			w.notBefore[e.Peer] = w.now + 10*time.Second
		}
		if e.Flow != 0 && f != nil {
			w.gone(e.Flow, f)
		}
	case client.ConnectionLost:
		if f == nil || !f.ready {
			w.bad("a connection is lost that is not there: %+v", e)
			return
		}
		w.gone(e.Flow, f)
	case client.AllocateFailed, client.AllocationLost:
		w.notBefore = map[netip.AddrPort]time.Duration{}
	case client.Closed:
		w.closed = e.Outcome
	}
}

func (w *relayWorld) talkTo(f *simFlow) {
	w.s.PeerSends(w.now, w.c.Relayed(), f.peer, stream(f.peer, f.fed, 7))
	f.fed += 7
}

// flowNeeded: for a data connection it is opened, or is not, or comes late.
func (w *relayWorld) flowNeeded(e client.Event) {
	switch {
	case w.chance(10):
		w.c.FlowClosed(w.now, e.Flow)
	case w.chance(20): // never
	default:
		w.flows[e.Flow] = &simFlow{}
		if e.Method == stun.MethodAllocate {
			w.control = e.Flow
		}
		w.c.FlowOpened(w.now, e.Flow)
	}
}

// end closes the client. All that is left is told of, and what the client says
// of the server is so.
func (w *relayWorld) end() {
	w.c.Close(w.now, 2*time.Second)
	w.drain()
	for range 200 {
		if w.closed != 0 {
			break
		}
		w.carry()
		w.drain()
		if w.chance(20) {
			w.wait(100 * time.Millisecond)
		}
	}
	w.wait(3 * time.Second)
	w.drain()
	if w.closed == 0 {
		w.bad("there was no Closed")
	}
	if w.closed == client.Released && w.s.Allocations() != 0 {
		w.bad("I10: it is released, and the server holds it")
	}
	for _, flow := range w.each() {
		f := w.flows[flow]
		if flow != w.control && !f.over {
			w.bad("nobody was told of flow %d's end: %s", flow, fmt.Sprintf("%+v", *f))
		}
	}
}
