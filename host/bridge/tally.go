package bridge

import (
	"net"
	"net/netip"
	"sync"
)

// tally counts what is held, in all and by address.
type tally struct {
	most, mostOfOne int

	mu   sync.Mutex
	all  int
	each map[netip.Prefix]int
}

func newTally(most, mostOfOne int) *tally {
	return &tally{most: most, mostOfOne: mostOfOne, each: map[netip.Prefix]int{}}
}

// take answers 0, CodeSessionLimit or CodeAddressLimit.
func (t *tally) take(who netip.Prefix) Code {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.all >= t.most:
		return CodeSessionLimit
	case t.each[who] >= t.mostOfOne:
		return CodeAddressLimit
	}
	t.all++
	t.each[who]++
	return 0
}

func (t *tally) give(who netip.Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all--
	if t.each[who]--; t.each[who] == 0 {
		delete(t.each, who)
	}
}

// household is whose address it is: an IPv4 address, the /64 of an IPv6 one,
// within which a host chooses freely.
func household(a net.Addr) netip.Prefix {
	ip := a.(*net.UDPAddr).AddrPort().Addr().Unmap()
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.WithZone("").Prefix(bits) // of a valid address
	return p
}
