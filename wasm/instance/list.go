package instance

// mark names a list that a slot can be in. The links lie in the entries, so a
// list costs nothing and entering it twice is harmless.
type mark uint8

const (
	markFree mark = iota
	markDirty
	markTouched
	marks
)

// list is a queue of slots, each at most once.
type list struct {
	mark       mark
	head, tail int32
}

func newList(m mark) list { return list{mark: m, head: noSlot, tail: noSlot} }

func (l *list) empty() bool { return l.head == noSlot }

func (l *list) push(s *slots, slot int32) {
	e := s.at(slot)
	if e.marked[l.mark] {
		return
	}
	e.marked[l.mark] = true
	e.next[l.mark] = noSlot
	if l.empty() {
		l.head = slot
	} else {
		s.at(l.tail).next[l.mark] = slot
	}
	l.tail = slot
}

// pop takes the oldest, or answers noSlot.
func (l *list) pop(s *slots) int32 {
	slot := l.head
	if slot != noSlot {
		e := s.at(slot)
		l.head = e.next[l.mark]
		e.marked[l.mark] = false
	}
	return slot
}

// remove takes one slot out of the middle. It walks: only turn_free does it.
func (l *list) remove(s *slots, slot int32) {
	if !s.at(slot).marked[l.mark] {
		return
	}
	before := noSlot
	for at := l.head; at != slot; at = s.at(at).next[l.mark] {
		before = at
	}
	after := s.at(slot).next[l.mark]
	if before == noSlot {
		l.head = after
	} else {
		s.at(before).next[l.mark] = after
	}
	if l.tail == slot {
		l.tail = before
	}
	s.at(slot).marked[l.mark] = false
}
