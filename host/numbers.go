package host

import (
	"net/netip"

	"github.com/turnwasm/turnwasm/wasm/abi"
)

// maxNumbers is how many peers of a Conn get a number. The machine's own bound
// is the same.
const maxNumbers = 4096

// numbers are the peers' on the data path, so that the machine need not read
// an address for each payload. They are guarded by the instance's lock.
type numbers struct {
	peers map[netip.AddrPort]uint32
	last  netip.AddrPort // the one that was asked for last, and
	is    uint32         // its number
}

// of is the peer's number; 0 when it can have none.
func (n *numbers) of(c *Conn, peer netip.AddrPort) uint32 {
	if n.last == peer && peer.IsValid() {
		return n.is
	}
	number, known := n.peers[peer]
	if !known {
		number = c.numberPeer(peer)
		if number != 0 {
			if n.peers == nil {
				n.peers = make(map[netip.AddrPort]uint32)
			}
			n.peers[peer] = number
		}
	}
	n.last, n.is = peer, number
	return number
}

// numberPeer asks the machine. One that has no room left, or does not take the
// address for a peer's, says more when a payload is sent there.
func (c *Conn) numberPeer(peer netip.AddrPort) uint32 {
	d := c.driver
	if len(c.numbers.peers) >= maxNumbers || !peer.IsValid() || d.dead != nil {
		return 0
	}
	n, err := d.control(func(b []byte) []byte { return abi.AppendPeer(b, peer) })
	if err != nil {
		return 0
	}
	number, err := d.answer(d.eng.peer(c.handle, n))
	if err != nil {
		return 0
	}
	return uint32(number)
}
