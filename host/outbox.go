package host

import "sync"

// outgoing is a datagram that was handed out by the machine and not sent yet.
type outgoing struct {
	through *transport
	data    *[]byte // from datagrams
}

// datagrams are buffers for what is on its way between a socket and the arena.
var datagrams = sync.Pool{New: func() any {
	b := make([]byte, 0, 2048)
	return &b
}}

func copied(data []byte) *[]byte {
	b := datagrams.Get().(*[]byte)
	*b = append((*b)[:0], data...)
	return b
}

// outbox keeps a Conn's datagrams in the order in which the machine made them:
// they are put in under the instance's lock and sent outside of it, and a
// Refresh that overtook a release would revive the allocation.
type outbox struct {
	mu      sync.Mutex
	waiting []outgoing

	sending sync.Mutex // held while datagrams are written
	batch   []outgoing // guarded by sending
}

func (o *outbox) put(through *transport, data []byte) {
	o.mu.Lock()
	o.waiting = append(o.waiting, outgoing{through, copied(data)})
	o.mu.Unlock()
}

// flush sends all that waits. When it returns, everything that was put in
// before has been written, by this goroutine or by another. It answers the
// first error and the transport that it came from.
func (o *outbox) flush() (failed *transport, err error) {
	o.sending.Lock()
	defer o.sending.Unlock()
	for o.next() {
		for i, m := range o.batch {
			if e := m.through.send(*m.data); e != nil && err == nil {
				failed, err = m.through, e
			}
			datagrams.Put(m.data)
			o.batch[i] = outgoing{}
		}
	}
	return failed, err
}

// next moves what waits into the batch.
func (o *outbox) next() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.batch, o.waiting = o.waiting, o.batch[:0]
	return len(o.batch) > 0
}
