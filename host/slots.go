package host

import "sync"

// The arena is cut into slots. A goroutine takes one for as long as it moves
// bytes between it and a socket or a caller's buffer, and needs the instance's
// lock for the call to the machine alone: system calls of different Conns do
// not wait for each other, and nobody sleeps in a socket with that lock.
//
// Those for what comes in are apart from those for what goes out: they are held
// for reads that do not block, so a reader never waits for a full socket.
const (
	slotsIn   = 6
	slotsOut  = 10
	slotSize  = 128 << 10 // two runs of 64 KiB
	arenaUsed = (slotsIn + slotsOut) * slotSize
)

// slot is a part of the arena that one goroutine has.
type slot struct {
	at   uint32 // where it begins in the region
	data []byte

	parcels  []parcel  // out: what was put in
	parts    []part    // in: what the socket has put in
	arrivals []arrival // in: what the machine found in it
	of       *Conn     // in: whose it is, while the machine is at it
}

// holds says whether the bytes from off on lie in the slot.
func (s *slot) holds(off, n uint64) bool {
	return s != nil && off >= uint64(s.at) && off+n <= uint64(s.at)+uint64(len(s.data))
}

// slots are those of one kind.
type slots struct {
	mu    sync.Mutex
	given sync.Cond
	free  []*slot // a stack: the one that was given back last is in the cache
	count int
	shut  bool
}

// cut makes count slots of the region's bytes from at on.
func (l *slots) cut(region []byte, at uint32, count int) {
	l.given.L = &l.mu
	l.count = count
	for range count {
		l.free = append(l.free, &slot{at: at, data: region[at : at+slotSize : at+slotSize]})
		at += slotSize
	}
}

// take waits for a slot. It answers nil when the arena is gone.
func (l *slots) take() *slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.free) == 0 && !l.shut {
		l.given.Wait()
	}
	if l.shut {
		return nil
	}
	last := len(l.free) - 1
	s := l.free[last]
	l.free = l.free[:last]
	return s
}

func (l *slots) give(s *slot) {
	l.mu.Lock()
	l.free = append(l.free, s)
	l.mu.Unlock()
	l.given.Signal()
}

// close lets nobody take a slot any more. With wait it waits until all were
// given back; it says whether they are.
func (l *slots) close(wait bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut = true
	l.given.Broadcast()
	for wait && len(l.free) < l.count {
		l.given.Wait()
	}
	return len(l.free) == l.count
}
