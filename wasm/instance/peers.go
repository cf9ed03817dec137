package instance

import (
	"net/netip"

	"github.com/turnwasm/turnwasm/client"
)

const (
	// maxPeers is how many peers of one client can have a number.
	maxPeers = 4096
	// fewPeers are found faster by looking at each than by an index.
	fewPeers = 8
)

// peerTable numbers a client's peers from 1 on.
type peerTable struct {
	list  []netip.AddrPort
	index map[netip.AddrPort]uint32 // nil while the peers are few
	last  uint32                    // the one that was found last
}

// peer answers the address behind a number.
func (p *peerTable) peer(n uint32) (netip.AddrPort, bool) {
	if p == nil || n == 0 || n > uint32(len(p.list)) {
		return netip.AddrPort{}, false
	}
	return p.list[n-1], true
}

// number answers the peer's number, 0 for none.
func (p *peerTable) number(peer netip.AddrPort) uint32 {
	if p == nil || len(p.list) == 0 {
		return 0
	}
	if p.list[p.last] == peer {
		return p.last + 1
	}
	n := p.search(peer)
	if n > 0 {
		p.last = n - 1
	}
	return n
}

func (p *peerTable) search(peer netip.AddrPort) uint32 {
	if p.index != nil {
		return p.index[peer]
	}
	for i, known := range p.list {
		if known == peer {
			return uint32(i + 1)
		}
	}
	return 0
}

// add answers the peer's number, a new one if it had none.
func (p *peerTable) add(peer netip.AddrPort) (uint32, error) {
	if n := p.number(peer); n > 0 {
		return n, nil
	}
	if len(p.list) == maxPeers {
		return 0, client.ErrLimit
	}
	p.list = append(p.list, peer)
	n := uint32(len(p.list))
	switch {
	case p.index != nil:
		p.index[peer] = n
	case n > fewPeers:
		p.index = make(map[netip.AddrPort]uint32)
		for i, known := range p.list {
			p.index[known] = uint32(i + 1)
		}
	}
	return n, nil
}

// plain turns an IPv4 address that is written as an IPv6 one into itself, so
// that one peer has one spelling.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
