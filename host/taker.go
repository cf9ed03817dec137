package host

import "github.com/turnwasm/turnwasm/client"

// taker takes what the socket has, for one leader: into a slot, through the
// machine, to the messages and, what they do not take, to the inbox.
type taker struct {
	c       *Conn
	through *transport // that is read
	slot    *slot
	into    []Message
	filled  int
	one     [1]Message // ReadFrom's
	touched []*Conn
	nothing [1]byte // the room when the arena is gone
}

func (in *taker) begin() []byte {
	if in.slot = in.c.driver.in.take(); in.slot == nil {
		return in.nothing[:]
	}
	return in.slot.data
}

func (in *taker) end(n, segment int, err error) {
	s := in.slot
	if s == nil {
		return
	}
	if in.slot = nil; err == nil {
		in.touched = append(in.touched, in.c.received(in.through.flow, s, n, segment)...)
		in.deliver(s.arrivals)
	}
	in.c.driver.in.give(s)
}

// received hands the slot's first n bytes to the machine.
func (c *Conn) received(flow client.Flow, s *slot, n, segment int) []*Conn {
	d := c.driver
	s.arrivals = s.arrivals[:0]
	d.mu.Lock()
	if d.dead == nil && c.stage < stageEnded {
		if c.closeAt != nil {
			d.touch(c)
		}
		_ = d.input(c, flow, s, n, segment)
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
