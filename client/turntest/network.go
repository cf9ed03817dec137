package turntest

import (
	"container/heap"
	"math/rand/v2"
	"net/netip"
	"time"
)

// NetworkConfig is how bad a network is. The zero value is a perfect one.
type NetworkConfig struct {
	// Loss, Duplicate and Reorder are chances from 0 to 1, each for every
	// datagram. A reordered one is held back by up to ReorderBy.
	Loss, Duplicate, Reorder float64
	ReorderBy                time.Duration
	// DelayMin and DelayMax bound the ordinary way from end to end.
	DelayMin, DelayMax time.Duration
	// Rand serves every choice of the network's.
	Rand *rand.Rand
}

// slowest is the longest that a datagram can be under way.
func (cfg *NetworkConfig) slowest() time.Duration {
	if cfg.Reorder > 0 {
		return cfg.DelayMax + cfg.ReorderBy
	}
	return cfg.DelayMax
}

// Packet is a datagram on its way through the network.
type Packet struct {
	Datagram
	// Inside is the address that the sender or the receiver behind the NAT
	// calls its own; the datagram carries the public one.
	Inside        netip.AddrPort
	SentAt, DueAt time.Duration
	// Forged says that the attacker sent it.
	Forged bool

	seq int
	run func() // instead of a datagram
}

// Network carries datagrams: it loses, duplicates, delays and reorders them,
// and stands as a NAT in front of those that Join.
type Network struct {
	cfg     NetworkConfig
	queue   packetHeap
	seq     int
	downTo  time.Duration
	nextNAT uint16

	public map[netip.AddrPort]netip.AddrPort // inside -> public, at present
	inside map[netip.AddrPort]netip.AddrPort // public -> inside, at present
	// Rebound tells when a public address lost its owner to a rebinding.
	Rebound map[netip.AddrPort]time.Duration

	// Lost, Duplicated, Reordered, Unreachable and CutOff count datagrams, Late
	// pieces of streams.
	Lost, Duplicated, Reordered, Unreachable, CutOff, Late int
}

// natAddr is the one public IP of all clients.
var natAddr = netip.AddrFrom4([4]byte{198, 51, 100, 1})

// NewNetwork makes an empty network.
func NewNetwork(cfg NetworkConfig) *Network {
	if cfg.Rand == nil {
		cfg.Rand = rand.New(rand.NewPCG(0, 1))
	}
	return &Network{
		cfg: cfg, nextNAT: 20000,
		public: map[netip.AddrPort]netip.AddrPort{}, inside: map[netip.AddrPort]netip.AddrPort{},
		Rebound: map[netip.AddrPort]time.Duration{},
	}
}

// Join puts an address behind the NAT and answers its public one.
func (n *Network) Join(inside netip.AddrPort) netip.AddrPort {
	public := netip.AddrPortFrom(natAddr, n.nextNAT)
	n.nextNAT++
	n.public[inside], n.inside[public] = public, inside
	return public
}

// Public is the address that the world knows an inside address by.
func (n *Network) Public(inside netip.AddrPort) netip.AddrPort { return n.public[inside] }

// Rebind gives an inside address a new public one; the old one leads nowhere.
func (n *Network) Rebind(now time.Duration, inside netip.AddrPort) {
	old, ok := n.public[inside]
	if !ok {
		return
	}
	delete(n.inside, old)
	n.Rebound[old] = now
	n.Join(inside)
}

// Down loses everything that is sent before an instant.
func (n *Network) Down(until time.Duration) { n.downTo = max(n.downTo, until) }

// Send puts a datagram on its way.
func (n *Network) Send(now time.Duration, d Datagram) {
	p := Packet{Datagram: d, SentAt: now}
	if public, ok := n.public[d.From]; ok {
		p.Inside, p.From = d.From, public
	}
	if now < n.downTo {
		n.CutOff++
		return
	}
	if n.chance(n.cfg.Loss) {
		n.Lost++
		return
	}
	n.enqueue(p)
	if n.chance(n.cfg.Duplicate) {
		n.Duplicated++
		n.enqueue(p)
	}
}

// Inject sends what an attacker sends: from any address, after any time.
func (n *Network) Inject(now time.Duration, d Datagram, after time.Duration) {
	n.push(Packet{Datagram: d, SentAt: now, DueAt: now + after, Forged: true})
}

func (n *Network) enqueue(p Packet) {
	p.DueAt = p.SentAt + n.cfg.DelayMin + n.upTo(n.cfg.DelayMax-n.cfg.DelayMin)
	if n.chance(n.cfg.Reorder) {
		n.Reordered++
		p.DueAt += n.upTo(n.cfg.ReorderBy)
	}
	n.push(p)
}

func (n *Network) push(p Packet) {
	n.seq++
	p.seq = n.seq
	heap.Push(&n.queue, p)
}

func (n *Network) chance(rate float64) bool { return rate > 0 && n.cfg.Rand.Float64() < rate }

func (n *Network) upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(n.cfg.Rand.Int64N(int64(d)))
}

// Next is the instant at which the next datagram arrives.
func (n *Network) Next() (time.Duration, bool) {
	if len(n.queue) == 0 {
		return 0, false
	}
	return n.queue[0].DueAt, true
}

// Deliver hands out the next datagram that has arrived by now. One to a public
// address that leads nowhere any more is dropped.
func (n *Network) Deliver(now time.Duration) (Packet, bool) {
	for len(n.queue) > 0 && n.queue[0].DueAt <= now {
		p, _ := heap.Pop(&n.queue).(Packet)
		if p.To.Addr() != natAddr {
			return p, true
		}
		if inside, ok := n.inside[p.To]; ok {
			p.Inside = inside
			return p, true
		}
		n.Unreachable++
	}
	return Packet{}, false
}

// packetHeap is ordered by arrival, and by sending where that is the same.
type packetHeap []Packet

func (h packetHeap) Len() int { return len(h) }
func (h packetHeap) Less(i, j int) bool {
	if h[i].DueAt != h[j].DueAt {
		return h[i].DueAt < h[j].DueAt
	}
	return h[i].seq < h[j].seq
}
func (h packetHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *packetHeap) Push(x any) {
	if p, ok := x.(Packet); ok {
		*h = append(*h, p)
	}
}

func (h *packetHeap) Pop() any {
	last := len(*h) - 1
	p := (*h)[last]
	*h = (*h)[:last]
	return p
}
