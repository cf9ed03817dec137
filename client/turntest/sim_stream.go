package turntest

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// stream is a TCP or TLS connection of a client's. Nothing is lost on it, it is
// late instead; it is cut into pieces wherever the dice say; and it may end.
type stream struct {
	w      *world
	a      *actor
	flow   client.Flow
	public netip.AddrPort
	up     pipe
	down   pipe
	cut    Deframer // finds what the client is to find
	seen   Deframer // and the server
	over   bool     // nothing gets through any more
	shut   bool     // the client's host has done with it
	broken bool     // the client has been told that no message begins there
}

// pipe is one direction.
type pipe struct {
	waiting []byte
	poured  int // bytes that were ever put in
	marks   []mark
	last    time.Duration // when the last piece arrives
}

// mark says when the bytes up to an end were put in.
type mark struct {
	end int
	at  time.Duration
}

// rollStreams turns some worlds into worlds of streams. Its dice are its own, so
// that the other worlds stay what they were.
func (p *plan) rollStreams() {
	p.dice = rand.New(rand.NewPCG(p.seed, 0x73747265616d))
	if p.dice.IntN(4) > 0 {
		return
	}
	p.stream, p.mobile, p.forger = true, false, 0
	if p.clean {
		return
	}
	p.refusals = pick(p.dice, 0, .2, .6)
	p.cuts = p.dice.IntN(6)
}

// pour puts bytes in. They come out in some pieces, which know nothing of where
// a message ends.
func (st *stream) pour(p *pipe, data []byte, out func(piece []byte, sentAt func(end int) time.Duration)) {
	if st.over {
		return
	}
	p.waiting = append(p.waiting, data...)
	p.poured += len(data)
	p.marks = append(p.marks, mark{p.poured, st.w.now})
	upTo, dice := p.poured, st.w.plan.dice
	for range dice.IntN(3) {
		st.arrive(p, func() int { return dice.IntN(len(p.waiting) + 1) }, out)
	}
	st.arrive(p, func() int { return max(0, len(p.waiting)-(p.poured-upTo)) }, out)
}

// arrive plans that a piece comes out.
func (st *stream) arrive(p *pipe, size func() int, out func([]byte, func(int) time.Duration)) {
	n := st.w.network
	p.last = max(p.last, n.whole(st.w.now))
	n.At(p.last, func() {
		if st.over {
			return
		}
		piece := p.waiting[:size()]
		p.waiting = p.waiting[len(piece):]
		begin := p.poured - len(p.waiting) - len(piece)
		if len(piece) > 0 {
			out(piece, func(end int) time.Duration { return p.sentAt(begin + end) })
		}
	})
}

// sentAt is when the byte before an end was put in.
func (p *pipe) sentAt(end int) time.Duration {
	for _, m := range p.marks {
		if end <= m.end {
			return m.at
		}
	}
	return 0
}

// whole is when something arrives that is sent again until it does.
func (n *Network) whole(now time.Duration) time.Duration {
	at := max(now, n.downTo) + n.cfg.DelayMin + n.upTo(n.cfg.DelayMax-n.cfg.DelayMin)
	if n.chance(n.cfg.Loss) {
		n.Late++
		at += 200*time.Millisecond + n.upTo(2*time.Second)
	}
	return at
}

// At runs f as if it were a datagram that arrives then.
func (n *Network) At(at time.Duration, f func()) { n.push(Packet{DueAt: at, run: f}) }

// openStream connects a flow.
func (a *actor) openStream(flow client.Flow) {
	if a.w.plan.stream {
		a.streams[flow] = &stream{w: a.w, a: a, flow: flow, public: a.w.network.Public(a.flows[flow])}
	}
}

// streamTo is the one that the server calls by the client's public address.
func (w *world) streamTo(public netip.AddrPort) *stream {
	for _, a := range w.actors {
		for _, st := range a.streams {
			if st.public == public {
				return st
			}
		}
	}
	return nil
}

// sendUp writes what the machine sends.
func (st *stream) sendUp(data []byte) {
	if !st.shut {
		st.pour(&st.up, data, st.atServer)
	}
}

// sendDown writes what the server sends.
func (st *stream) sendDown(data []byte) {
	st.pour(&st.down, data, st.atClient)
}

func (st *stream) atServer(piece []byte, sentAt func(int) time.Duration) {
	w := st.w
	for at := 0; at < len(piece); {
		n, frame, err := st.seen.Take(piece[at:])
		at += n
		if err != nil {
			w.violate(st.a, "S1", "the server finds no message where one is to begin")
			return
		}
		if m, err := Decode(frame); err == nil && m.Class == Request {
			w.ledger.arrivals[arrival{m.ID, w.now}] = sentAt(at)
		}
	}
	w.server.HandleStream(w.now, st.public, piece)
	w.pumpServer()
}

// atClient hands in a piece, frame by frame.
func (st *stream) atClient(piece []byte, sentAt func(int) time.Duration) {
	a := st.a
	for at := 0; at < len(piece) && !st.shut && !a.trapped && !a.crashed; {
		hears := a.closed == nil && !st.broken
		n, frame, err := st.cut.Take(piece[at:])
		s := &step{kind: stepInput, packet: Packet{
			Datagram: Datagram{From: a.w.plan.server.Addr, To: st.public, Data: frame},
			Inside:   a.flows[st.flow], SentAt: sentAt(at + n), DueAt: a.w.now,
		}}
		if hears && frame != nil {
			a.w.log.input(a, s.packet)
			s.judged = a.judge(s.packet)
			a.inputs++
		}
		took := 0
		a.step(s, func(now time.Duration) { took = a.m.HandleStream(now, st.flow, piece[at:]) })
		if hears {
			a.checkFraming(s, took, n, err)
		}
		at += n
	}
}

// checkFraming is S1: the client takes each message for what it is, wherever the
// stream was cut, and gives up where none begins.
func (a *actor) checkFraming(s *step, took, want int, err error) {
	if took != want {
		a.w.violate(a, "S1", "%d bytes are taken, the message ends after %d", took, want)
	}
	if broken := s.says(client.StreamBroken); broken != (err != nil) {
		a.w.violate(a, "S1", "StreamBroken: %v; what came: %v", broken, err)
	}
}

// checkFrame is S1 for what the client sends, and T2: not where nothing is sent
// any more.
func (a *actor) checkFrame(t client.Transmit) {
	if !a.w.plan.stream {
		return
	}
	if size, err := FrameSize(t.Data); err != nil || size != len(t.Data) {
		a.w.violate(a, "S1", "%d bytes are sent as a message of %d (%v)", len(t.Data), size, err)
	}
	if _, open := a.flows[t.Flow]; !open {
		a.w.violate(a, "T2", "it sends on the flow %d, which has ended", t.Flow)
	}
}

// endStreams is what a host does when the machine has done with its flows: what
// was written before gets there.
func (a *actor) endStreams() {
	for flow := client.Flow(0); flow <= a.flow; flow++ {
		if st := a.streams[flow]; st != nil {
			st.end()
		}
	}
}

func (st *stream) end() {
	if st.shut {
		return
	}
	st.shut = true
	st.up.last = max(st.up.last, st.w.network.whole(st.w.now))
	st.w.network.At(st.up.last, st.endAtServer)
}

func (st *stream) endAtServer() {
	st.over = true
	st.w.server.EndStream(st.w.now, st.public)
	st.w.pumpServer()
}

// planCuts cuts streams, and lets the server write what is no message.
func (w *world) planCuts() {
	for range w.plan.cuts {
		at := time.Duration(w.plan.dice.Int64N(int64(w.plan.script)))
		kind := pick(w.plan.dice, chore{name: "stream cut", do: (*world).cutStream}, chore{name: "stream cut", do: (*world).cutStream},
			chore{name: "stream broken", do: (*world).breakStream})
		w.chore(at, kind.name, kind.do)
	}
}

// someStream is one that both sides believe in; nil where there is none.
func (w *world) someStream() *stream {
	a := w.actors[w.plan.dice.IntN(len(w.actors))]
	if st := a.streams[a.flow]; st != nil && !st.over && !st.shut {
		return st
	}
	return nil
}

// cutStream ends one: what is under way is lost, and both sides hear of it at a
// time of their own.
func (w *world) cutStream() {
	if st := w.someStream(); st != nil {
		st.lose()
	}
}

func (st *stream) lose() {
	w := st.w
	st.over = true
	within := pick(w.plan.dice, 1, 100*time.Millisecond, 3*time.Second)
	w.network.At(w.now+time.Duration(w.plan.dice.Int64N(int64(within))), func() { st.lostAtClient() })
	w.network.At(w.now+time.Duration(w.plan.dice.Int64N(int64(within))), st.endAtServer)
}

func (st *stream) lostAtClient() {
	a := st.a
	if st.shut || a.trapped || a.crashed {
		return
	}
	st.shut, st.broken = true, true
	delete(a.flows, st.flow)
	a.ledger.disturb()
	a.ledger.overtake(anyRequest)
	a.tellFlow("FlowClosed", st.flow, a.m.FlowClosed)
}

// breakStream: between two messages the server writes what is none.
func (w *world) breakStream() {
	if st := w.someStream(); st != nil {
		st.sendDown(pick(w.plan.dice, []byte{0xFF}, []byte{0, 1, 0, 3}, []byte{1, 1, 0, 0, 0x21, 0x12, 0xA4, 0x41, 0}, []byte("HTTP/1.1")))
	}
}

// brokenStream: the machine cannot tell any more where a message begins.
func (a *actor) brokenStream(e client.Event) {
	if st := a.streams[e.Flow]; st != nil {
		st.broken = true
		st.end()
		delete(a.flows, e.Flow)
		a.ledger.disturb()
		a.ledger.overtake(anyRequest)
	}
}

// answersStream is how the owner answers FlowNeeded: sometimes the server takes
// no connection.
func (a *actor) answersStream() rebind {
	dice := a.w.plan.dice
	r := rebind{answer: pick(dice, 0, time.Millisecond, 300*time.Millisecond, 5*time.Second)}
	if dice.Float64() < a.w.plan.refusals {
		a.w.report.Counters.add("stream refused")
		r.kind = rebindFails
	}
	return r
}

// lateOnStream is how much longer than a datagram something was under way: so much
// later the server counts its lifetime.
func (w *world) lateOnStream(h Holding, sent time.Duration) time.Duration {
	if !w.plan.stream || sent == 0 {
		return 0
	}
	return h.Touch.At - sent
}

// streamsUnderWay is when the last that the client wrote has arrived.
func (a *actor) streamsUnderWay() (until time.Duration) {
	for _, st := range a.streams {
		until = max(until, st.up.last+3*time.Second)
	}
	return until
}

// gone: the present flow is no more, so that nothing can be released on it.
func (a *actor) gone() bool {
	st := a.streams[a.flow]
	return st != nil && (st.broken || st.shut)
}
