package host

import (
	"net/netip"
	"sync/atomic"
)

// inbox is the bounded queue of payloads for which no reader was there. It is
// guarded by its reader's lock.
type inbox struct {
	most    int // payloads
	held    int
	queue   []bunch
	head    int // the first of queue that is left
	dropped atomic.Uint64
}

// bunch is payloads of one peer and of one size that came together, in one
// block; or one empty payload.
type bunch struct {
	peer netip.AddrPort
	data []byte  // those that are left
	size int     // bytes of each
	in   *[]byte // what data lies in, from blocks
}

// keep copies the arrival in, from payload number from on, as far as there is
// room, and drops the rest: the machine never waits for a reader.
func (b *inbox) keep(a *arrival, from int) {
	n := min(a.count-from, b.most-b.held)
	if drop := a.count - from - n; drop > 0 {
		b.dropped.Add(uint64(drop))
	}
	if n <= 0 {
		return
	}
	b.held += n
	if a.length == 0 {
		for range n {
			b.push(bunch{peer: a.peer})
		}
		return
	}
	in := blocks.get(n * a.length)
	for i := range n {
		*in = append(*in, a.payload(from+i)...)
	}
	b.push(bunch{a.peer, *in, a.length, in})
}

func (b *inbox) push(p bunch) {
	if b.head > 0 && len(b.queue) == cap(b.queue) {
		n := copy(b.queue, b.queue[b.head:])
		clear(b.queue[n:])
		b.queue, b.head = b.queue[:n], 0
	}
	b.queue = append(b.queue, p)
}

// pop copies the next payload out, as far as it fits.
func (b *inbox) pop(into []byte) (int, netip.AddrPort) {
	p := &b.queue[b.head]
	n, peer := copy(into, p.data[:p.size]), p.peer
	b.took(1)
	return n, peer
}

// took counts the next n payloads as taken, which are of one bunch.
func (b *inbox) took(n int) {
	p := &b.queue[b.head]
	b.held -= n
	p.data = p.data[n*p.size:]
	if len(p.data) > 0 {
		return
	}
	if p.in != nil {
		blocks.put(p.in)
	}
	*p = bunch{}
	if b.head++; b.head == len(b.queue) {
		b.queue, b.head = kept(b.queue), 0
	}
}

// fill copies as much out as the messages take, and answers how many do.
func (b *inbox) fill(ms []Message) (n int) {
	for n < len(ms) && b.held > 0 {
		p := &b.queue[b.head]
		a := arrival{p.peer, p.data, p.size, 1, p.size, nil}
		if p.size > 0 {
			a.count = len(p.data) / p.size
		}
		b.took(ms[n].take(&a, 0))
		n++
	}
	return n
}
