package host

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// outgoing is a datagram that the machine has made and that is not sent yet, or
// a run of them.
type outgoing struct {
	through *transport
	data    []byte  // a run's datagrams lie back to back
	segment int     // bytes of each of a run; 0: it is one datagram
	owned   *[]byte // what data lies in, from blocks; nil: the sender's slot
}

// outbox keeps a Conn's datagrams in the order in which the machine made them:
// they are put in under the instance's lock and sent outside of it, and a
// Refresh that overtook a release would revive the allocation.
//
// One goroutine at a time sends, the one that holds turn. Who finds it taken
// leaves what he put in to that one, which looks again after it has given the
// turn up: see Conn.endTurn. Payloads are not copied: they are put in while
// their sender holds the turn and lie in its slot until they are sent.
type outbox struct {
	mu      sync.Mutex
	waiting []outgoing
	any     atomic.Bool // something waits

	turn   sync.Mutex
	batch  []outgoing // what follows is guarded by turn
	each   [][]byte
	failed *transport // the path said that it leads nowhere
	later  []*Conn    // to be settled after the turn
}

// copy puts in a copy of one datagram.
func (o *outbox) copy(through *transport, data []byte) {
	owned := blocks.copy(data)
	o.put(outgoing{through: through, data: *owned, owned: owned})
}

func (o *outbox) put(m outgoing) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := len(o.waiting); m.owned == nil && n > 0 && o.waiting[n-1].extend(&m) {
		return
	}
	o.waiting = append(o.waiting, m)
	o.any.Store(true)
}

// keep copies what waits out of its sender's slot, which is written again.
func (o *outbox) keep() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.waiting {
		if m := &o.waiting[i]; m.owned == nil {
			m.owned = blocks.copy(m.data)
			m.data = *m.owned
		}
	}
}

// next moves what waits into the batch.
func (o *outbox) next() bool {
	if !o.any.Load() {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.batch, o.waiting = o.waiting, kept(o.batch)
	o.any.Store(false)
	return len(o.batch) > 0
}

// mostKept bounds what a Conn that sent a large batch once keeps for the next.
const mostKept = 256

func kept[T any](list []T) []T {
	if cap(list) > mostKept {
		return nil
	}
	return list[:0]
}

// send sends all that waits; the turn is the caller's. Its error is that of
// payloads. What the path says goes to the machine at the turn's end, and
// nobody else can be told of another datagram's error.
func (o *outbox) send() (err error) {
	for o.next() {
		for i := 0; i < len(o.batch); {
			n, e := o.sendSome(o.batch[i:])
			if e != nil && err == nil && o.batch[i].owned == nil {
				err = o.judge(e, o.batch[i].through)
			} else if e != nil {
				_ = o.judge(e, o.batch[i].through)
			}
			i += n
		}
		for i := range o.batch {
			if m := &o.batch[i]; m.owned != nil {
				blocks.put(m.owned)
			}
		}
		clear(o.batch)
	}
	return err
}

// judge answers the errors that are the sender's business. A socket that is
// closed was replaced, or its Conn is over.
func (o *outbox) judge(err error, through *transport) error {
	switch {
	case through.mobile && isLocalGone(err, through.local):
		through.lost.Store(true)
		o.failed = through
		return nil
	case isPathError(err):
		o.failed = through
		return nil
	case errors.Is(err, net.ErrClosed):
		return nil
	}
	return err
}

// longRun is how many datagrams are a call of their own. Fewer share one with
// what follows them.
const longRun = 32

func (m *outgoing) long() bool { return m.segment > 0 && len(m.data) >= longRun*m.segment }

// extend makes m a run with the datagram that lies right behind it, or a longer
// one, if it is of the size of the others, or a shorter one, the last.
func (m *outgoing) extend(next *outgoing) bool {
	n, segment := len(m.data), m.segment
	if segment == 0 {
		segment = n
	}
	if m.owned != nil || m.through != next.through || next.segment > 0 && next.segment != segment || len(next.data) == 0 ||
		next.segment == 0 && len(next.data) > segment || n == 0 || n%segment != 0 ||
		cap(m.data) == n || &m.data[:n+1][n] != &next.data[0] {
		return false
	}
	m.data, m.segment = m.data[:n+len(next.data)], segment
	return true
}

// sendSome sends the first of the list with as many as go along in one call,
// and answers how many these are.
func (o *outbox) sendSome(list []outgoing) (int, error) {
	first := &list[0]
	if first.long() {
		return 1, first.through.sendRun(first.data, first.segment)
	}
	if len(list) == 1 && first.segment == 0 {
		return 1, first.through.send(first.data)
	}
	n := 0
	for n < len(list) && list[n].through == first.through && !list[n].long() {
		o.each = list[n].append(o.each)
		n++
	}
	_, err := first.through.sendEach(o.each)
	clear(o.each)
	o.each = kept(o.each)
	return n, err
}

// append appends its datagrams.
func (m *outgoing) append(list [][]byte) [][]byte {
	if m.segment == 0 {
		return append(list, m.data)
	}
	for at := 0; at < len(m.data); at += m.segment {
		list = append(list, m.data[at:min(at+m.segment, len(m.data))])
	}
	return list
}
