package host

import (
	"net/netip"
	"sync/atomic"
)

// payload is what a peer sent.
type payload struct {
	peer netip.AddrPort
	data *[]byte // from datagrams
}

// inbox is the bounded queue between the socket's reader and ReadFrom.
type inbox struct {
	queue   chan payload
	dropped atomic.Uint64
}

// put copies the payload in, or drops it: the machine never waits for a reader.
func (b *inbox) put(peer netip.AddrPort, data []byte) {
	p := payload{peer, copied(data)}
	select {
	case b.queue <- p:
	default:
		b.dropped.Add(1)
		datagrams.Put(p.data)
	}
}

// into copies a payload out and gives its buffer back.
func (p payload) into(b []byte) int {
	n := copy(b, *p.data)
	datagrams.Put(p.data)
	return n
}
