package turntest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// Options of a run. The zero value runs *client.Client and keeps no transcript.
type Options struct {
	// New makes the machine under test.
	New func(client.Config) (Machine, error)
	// Restore makes a machine of another's snapshot; a New without one makes
	// machines that are never snapshotted.
	Restore func(cfg client.Config, now, elapsed time.Duration, snapshot []byte) (Machine, error)
	// Transcript takes every input, output and deadline in words.
	Transcript io.Writer
}

// Report is what came of a run.
type Report struct {
	Seed       uint64
	Hash       [32]byte      // over every input and output of every client
	Virtual    time.Duration // how much time passed in the world
	Steps      int           // calls into a client
	Violations []Violation
	Counters   Counters
}

// Violation is a rule that did not hold.
type Violation struct {
	Rule   string // "I4", "C1", ...
	At     time.Duration
	Client string
	What   string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s at %v, %s: %s", v.Rule, v.At, v.Client, v.What)
}

// world is one simulated world: a server, a network, an attacker, some peers,
// and some clients, each with its owner.
type world struct {
	plan    plan
	opts    Options
	rng     *rand.Rand
	now     time.Duration
	server  *Server
	network *Network
	forger  *Forger
	peers   []netip.AddrPort
	actors  []*actor
	chores  []chore // what happens to the world itself, in order
	ended   bool    // everybody has been told to close

	log    *transcript
	report *Report
	ledger worldLedger
}

// Limits of a run: enough for the longest plan, and for a machine that loops.
const (
	maxSteps   = 60000
	maxDrained = 4096
	maxVirtual = 6 * time.Hour
)

// Run builds the world that a seed describes, lets it run to its end, and
// checks every rule after every step.
func Run(seed uint64, opts Options) *Report {
	if opts.New == nil {
		opts.New = func(cfg client.Config) (Machine, error) { return client.New(cfg) }
		opts.Restore = func(cfg client.Config, now, elapsed time.Duration, snapshot []byte) (Machine, error) {
			return client.Restore(now, elapsed, snapshot, cfg.Rand)
		}
	}
	w := newWorld(seed, opts)
	for w.report.Steps < maxSteps && w.now < maxVirtual && len(w.report.Violations) == 0 {
		if !w.step() {
			break
		}
	}
	w.finish()
	return w.report
}

// step does the one next thing that happens in the world; false when nothing
// is left to happen.
func (w *world) step() bool {
	next, when := w.nextThing()
	if next == nil {
		if w.ended {
			return false
		}
		w.endScript()
		return true
	}
	w.now = max(w.now, when)
	next()
	return true
}

// nextThing finds what is due first; where two are due at the same instant the
// network comes first, then the server, the world's chores, and the clients in
// their order.
func (w *world) nextThing() (do func(), when time.Duration) {
	consider := func(at time.Duration, ok bool, f func()) {
		if ok && (do == nil || at < when) {
			do, when = f, at
		}
	}
	at, ok := w.network.Next()
	consider(at, ok, w.deliver)
	at, ok = w.server.Next()
	consider(at, ok, w.tickServer)
	if len(w.chores) > 0 {
		consider(w.chores[0].at, true, w.doChore)
	}
	for _, a := range w.actors {
		at, ok, f := a.next()
		consider(at, ok, f)
	}
	return do, when
}

// deliver takes one datagram from the network to whom it is for.
func (w *world) deliver() {
	p, ok := w.network.Deliver(w.now)
	if !ok {
		return
	}
	if p.run != nil {
		p.run()
		return
	}
	if p.To.Addr() == natAddr {
		if a := w.actorAt(p.Inside); a != nil {
			a.receive(p)
		}
		return
	}
	for _, peer := range w.peers {
		if p.To == peer {
			w.echo(p)
			return
		}
	}
	w.ledger.atServer(p)
	w.server.Handle(w.now, p.To, p.From, p.Data)
	w.pumpServer()
}

// echo is all that peers do: two of three datagrams come back.
func (w *world) echo(p Packet) {
	if w.rng.IntN(3) > 0 {
		w.network.Send(w.now, Datagram{From: p.To, To: p.From, Data: p.Data})
	}
}

func (w *world) tickServer() {
	w.server.Tick(w.now)
	w.pumpServer()
}

// pumpServer puts what the server sends on the network, past the attacker.
func (w *world) pumpServer() {
	for d, ok := w.server.Poll(); ok; d, ok = w.server.Poll() {
		if w.plan.stream && d.From == w.plan.server.Addr {
			if st := w.streamTo(d.To); st != nil {
				st.sendDown(d.Data)
			}
			continue
		}
		w.network.Send(w.now, d)
		if d.From == w.plan.server.Addr {
			w.forger.Provoke(w.network, w.now, d.To, d.From, d.Data)
		}
	}
}

// actorAt finds the living client whose flow has an inside address.
func (w *world) actorAt(inside netip.AddrPort) *actor {
	for i := len(w.actors) - 1; i >= 0; i-- {
		if a := w.actors[i]; a.owns(inside) {
			return a
		}
	}
	return nil
}

// endScript tells every client that is left to close; what is under way then
// comes to its end by itself.
func (w *world) endScript() {
	w.ended = true
	for _, a := range w.actors {
		if a.alive() && a.closing == nil {
			a.close(a.plan.linger)
		}
	}
}

// finish lets late deletions pass, judges the leaks, and sums up.
func (w *world) finish() {
	w.server.Tick(w.now + 5*time.Second)
	if len(w.report.Violations) == 0 {
		w.checkEnd()
	}
	w.report.Virtual = w.now
	w.report.Hash = w.log.sum()
	w.countAll()
	for _, a := range w.actors {
		a.m.Free()
	}
}

func (w *world) violate(a *actor, rule, format string, args ...any) {
	v := Violation{Rule: rule, At: w.now, Client: a.name, What: fmt.Sprintf(format, args...)}
	w.log.note(a, "VIOLATION "+v.String())
	w.report.Violations = append(w.report.Violations, v)
}
