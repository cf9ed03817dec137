package turntest

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// plan is what the dice of a seed say about a world before it starts.
type plan struct {
	seed    uint64
	clean   bool // nothing goes wrong but what the clients do
	open    bool // the server asks for no authentication
	server  ServerConfig
	network NetworkConfig
	forger  float64
	blind   bool
	clients int
	script  time.Duration // how long commands go on
	jitter  time.Duration // how late hosts' timers fire
	mobile  bool          // local addresses change
	wide    bool          // the server is far away

	stream   bool       // over TCP or TLS
	dice     *rand.Rand // of streams
	refusals float64    // how often the server takes no further stream
	cuts     int
}

const (
	simUser     = "alice"
	simPassword = "correct horse"
	simOther    = "bob"
	otherSecret = "battery staple"
)

func newWorld(seed uint64, opts Options) *world {
	rng := rand.New(rand.NewPCG(seed, 0x7475726e))
	w := &world{opts: opts, rng: rng, plan: rollPlan(seed, rng), report: &Report{Seed: seed, Counters: Counters{}}}
	dice := w.plan.rollMobility()
	w.plan.rollStreams()
	w.log = newTranscript(w, opts.Transcript)
	w.ledger = newWorldLedger()
	w.peers = simPeers()
	w.plan.server.Rand, w.plan.network.Rand = child(rng), child(rng)
	w.server = NewServer(w.plan.server)
	w.network = NewNetwork(w.plan.network)
	w.forger = &Forger{Rate: w.plan.forger, Blind: w.plan.blind, Rand: child(rng), Peer: w.peers[0]}
	for i := range w.plan.clients {
		p := rollClient(w, rng)
		p.rollMoves(w, dice)
		p.rollHandOvers(w, i)
		w.join(i, p)
	}
	w.planChores()
	w.planCuts()
	return w
}

// child gives each part of the world dice of its own, so that one more roll in
// one of them leaves the others' as they were.
func child(rng *rand.Rand) *rand.Rand {
	return rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64()))
}

// simPeers: four that may be reached, one that is denied, one over IPv6.
func simPeers() []netip.AddrPort {
	return []netip.AddrPort{
		netip.MustParseAddrPort("203.0.113.1:4001"), netip.MustParseAddrPort("203.0.113.1:4002"),
		netip.MustParseAddrPort("203.0.113.2:4000"), netip.MustParseAddrPort("203.0.113.3:4000"),
		netip.MustParseAddrPort("203.0.113.66:4000"), netip.MustParseAddrPort("[2001:db8::5]:4000"),
	}
}

func rollPlan(seed uint64, rng *rand.Rand) plan {
	p := plan{
		seed: seed, clean: rng.IntN(8) == 0, open: rng.IntN(10) == 0, clients: 1 + rng.IntN(3),
		script: pick(rng, 5*time.Second, 40*time.Second, 5*time.Minute, 25*time.Minute, 2*time.Hour),
	}
	p.server = ServerConfig{
		Flavour: Flavour(rng.IntN(int(flavourCount))), Addr: netip.MustParseAddrPort("192.0.2.1:3478"),
		Relay: netip.MustParseAddr("192.0.2.10"), Alternate: netip.MustParseAddrPort("192.0.2.2:3478"),
		Users:  map[string]string{simUser: simPassword, simOther: otherSecret},
		Replay: rng.IntN(3) == 0, SignRefresh437: rng.IntN(2) == 0,
		Denied: []netip.Addr{netip.MustParseAddr("203.0.113.66")},
	}
	p.rollTerms()
	if p.open {
		p.server.Users = nil
	}
	if rng.IntN(4) == 0 {
		p.server.Relay6 = netip.MustParseAddr("2001:db8::10")
	}
	p.network = NetworkConfig{DelayMin: time.Millisecond, DelayMax: pick(rng, 2*time.Millisecond, 40*time.Millisecond)}
	if !p.clean {
		p.rollTrouble(rng)
	}
	p.rollDistance()
	return p
}

// rollTrouble makes the world a bad one, each world in its own way.
func (p *plan) rollTrouble(rng *rand.Rand) {
	for f := Deaf; f < FaultCount; f++ {
		if rng.IntN(4) == 0 {
			p.server.Rates[f] = pick(rng, .01, .05, .2)
		}
	}
	s := &p.server
	s.LateBy = pick(rng, 300*time.Millisecond, 3*time.Second, 50*time.Second)
	s.MaxLifetime = pick(rng, 0, 0, 20*time.Second, 120*time.Second)
	s.NonceLifetime = pick(rng, 0, 0, 3*time.Second, 60*time.Second)
	s.Quota, s.Ports = pick(rng, 0, 0, 0, 1), pick(rng, 0, 0, 0, 2)
	s.Permissions = pick(rng, 0, 0, 2)
	if s.Flavour == Coturn {
		s.DeleteLate = time.Duration(1000+rng.IntN(1000)) * time.Millisecond
	}
	n := &p.network
	n.Loss, n.Duplicate = pick(rng, 0, .05, .3, .6), pick(rng, 0, .05, .3)
	n.Reorder, n.ReorderBy = pick(rng, 0, .05, .3), pick(rng, 50*time.Millisecond, 400*time.Millisecond, 4*time.Second)
	n.DelayMax = pick(rng, 2*time.Millisecond, 40*time.Millisecond, 150*time.Millisecond)
	p.jitter = pick(rng, 0, 20*time.Millisecond)
	// Nothing can be told apart from a forgery where nothing is signed.
	if !p.open {
		p.forger, p.blind = pick(rng, 0, .05, .3), rng.IntN(5) == 0
	}
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// clientPlan is what the dice say about one client and its owner.
type clientPlan struct {
	cfg      client.Config
	password string // what the owner believes at first
	closeAt  closeState
	delay    time.Duration // from reaching closeAt to the Close
	linger   time.Duration
	again    bool // a second Close while the first is under way
	ports    int  // how often the owner opens another port
	trapAt   time.Duration
	ships    bool // the host ships the parting datagram after a trap
	retries  int  // how often the owner allocates again after a failure
	rebinds  []rebind
	// handOvers are what becomes of it on the way.
	handOvers []handOver
}

func rollClient(w *world, rng *rand.Rand) clientPlan {
	c := clientPlan{
		cfg: rollConfig(w, rng), password: simPassword, closeAt: closeState(rng.IntN(int(closeStateCount))),
		delay:  pick(rng, 0, 0, 10*time.Millisecond, 300*time.Millisecond, 3*time.Second),
		linger: pick(rng, 0, 0, 50*time.Millisecond, 500*time.Millisecond, 2*time.Second, 2*time.Second, 10*time.Second, 45*time.Second),
		again:  rng.IntN(4) == 0, ports: rng.IntN(4), retries: rng.IntN(4),
	}
	if w.plan.clean {
		return c
	}
	if rng.IntN(12) == 0 {
		c.password = "forgotten"
		c.cfg.Password = []byte(c.password)
	}
	if rng.IntN(6) == 0 {
		c.trapAt, c.ships = time.Duration(rng.Int64N(int64(w.plan.script))), rng.IntN(4) > 0
	}
	return c
}

func rollConfig(w *world, rng *rand.Rand) client.Config {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(rng.Uint32())
	}
	cfg := client.Config{
		Server: w.plan.server.Addr, Username: []byte(simUser), Password: []byte(simPassword),
		Lifetime:    pick(rng, 0, 0, 30*time.Second, 1200*time.Second),
		Software:    pick(rng, "", "turnwasm"),
		Fingerprint: rng.IntN(3) == 0,
		RTO:         pick(rng, 0, 0, 100*time.Millisecond, time.Second),
		Rc:          pick(rng, 0, 0, 3), Rm: pick(rng, 0, 0, 4),
		RefreshCap:     pick(rng, 0, 0, 15*time.Second),
		AutoPermission: rng.IntN(2) == 0, Reallocate: rng.IntN(3) == 0,
		Rand: rand.NewChaCha8(seed),
	}
	if rng.IntN(4) == 0 {
		cfg.Family = pick(rng, client.FamilyIPv4, client.FamilyIPv6)
	}
	if w.plan.stream {
		cfg.Transport = client.TransportStream
	}
	rollOptions(w.plan.seed, &cfg)
	rollRoundTrip(&w.plan, &cfg)
	return cfg
}
