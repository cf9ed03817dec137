package host

import "sync"

// blocks are buffers for what must be kept for a while: datagrams on their way
// out, payloads that nobody reads yet.
var blocks = newBlockPool(2<<10, 16<<10, 64<<10)

// blockPool has buffers of some sizes, so that a short datagram does not hold
// on to a long buffer.
type blockPool struct {
	sizes []int
	pools []sync.Pool
}

func newBlockPool(sizes ...int) *blockPool {
	p := &blockPool{sizes: sizes, pools: make([]sync.Pool, len(sizes))}
	for i, size := range sizes {
		p.pools[i].New = func() any {
			b := make([]byte, 0, size)
			return &b
		}
	}
	return p
}

// get answers an empty buffer with room for n bytes.
func (p *blockPool) get(n int) *[]byte {
	for i, size := range p.sizes {
		if n <= size {
			return p.pools[i].Get().(*[]byte)
		}
	}
	b := make([]byte, 0, n)
	return &b
}

// put takes a buffer back.
func (p *blockPool) put(b *[]byte) {
	*b = (*b)[:0]
	for i, size := range p.sizes {
		if cap(*b) == size {
			p.pools[i].Put(b)
			return
		}
	}
}

func (p *blockPool) copy(data []byte) *[]byte {
	b := p.get(len(data))
	*b = append(*b, data...)
	return b
}
