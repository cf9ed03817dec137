package host

import "github.com/turnwasm/turnwasm/client"

// taker takes what the socket has, for one leader: into a slot, through the
// machine, to the messages and, what they do not take, to the inbox.
type taker struct {
	c       *Conn
	through *transport // that is read
	slot    *slot      // nil while nothing is there
	used    int        // bytes of the slot
	into    []Message
	filled  int
	one     [1]Message // ReadFrom's
	touched []*Conn
	nothing [1]byte // the room when the arena is gone
}

// mostParts is how many datagrams go through the machine in one call.
const mostParts = 16

func (in *taker) begin() []byte {
	if in.slot == nil {
		if in.slot = in.c.driver.in.take(); in.slot == nil {
			return in.nothing[:]
		}
		in.used, in.slot.parts = 0, in.slot.parts[:0]
	}
	return in.slot.data[in.used:]
}

// end takes on as long as there is a message for each datagram and room for the
// longest. What comes as runs does not wait in numbers: to look for more of it
// costs a system call.
func (in *taker) end(n, segment int, err error) (more bool) {
	s := in.slot
	switch {
	case s == nil:
		return false
	case err == nil:
		s.parts = append(s.parts, part{s.at + uint32(in.used), uint32(n), uint32(segment)})
		in.used += n
		return segment == 0 && len(s.parts) < min(len(in.into), mostParts) && len(s.data)-in.used >= maxDatagram
	case len(s.parts) == 0:
		in.give()
	}
	return false
}

func (in *taker) give() {
	in.c.driver.in.give(in.slot)
	in.slot = nil
}

// handOn has the machine read what the socket had, and hands the payloads on.
func (in *taker) handOn() {
	if in.slot == nil {
		return
	}
	in.touched = in.c.received(in.through.flow, in.slot)
	in.deliver(in.slot.arrivals)
	in.give()
}

// received hands what is in the slot to the machine.
func (c *Conn) received(flow client.Flow, s *slot) []*Conn {
	d := c.driver
	s.arrivals = s.arrivals[:0]
	d.mu.Lock()
	if d.dead == nil && c.stage < stageEnded {
		if c.closeAt != nil {
			d.touch(c)
		}
		d.input(c, flow, s)
	}
	return d.unlock()
}

// deliver copies the payloads to where they are wanted.
func (in *taker) deliver(arrivals []arrival) {
	for i := range arrivals {
		a := &arrivals[i]
		from := 0
		for from < a.count && in.deliverSome(a, &from) {
		}
		if from < a.count {
			in.c.in.keep(a, from)
		}
		if a.owned != nil {
			blocks.put(a.owned)
			a.owned, a.data = nil, nil
		}
	}
}

// deliverSome fills a message; false when there is none left.
func (in *taker) deliverSome(a *arrival, from *int) bool {
	if in.filled > 0 && in.into[in.filled-1].join(a, *from) {
		*from++
		return true
	}
	if in.filled == len(in.into) {
		return false
	}
	*from += in.into[in.filled].take(a, *from)
	in.filled++
	return true
}
