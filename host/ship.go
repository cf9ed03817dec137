package host

import (
	"net/netip"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// ship sends the messages, straight out of the arena, a slot after the other.
// The turn is the caller's. It answers how many were sent, from the first one
// on; the error is the next one's.
func (c *Conn) ship(ms []Message, now float64) (n int, err error) {
	slots := &c.driver.out
	for at := (place{}); at.message < len(ms); {
		s := slots.take()
		if s == nil {
			return at.message, c.closedError()
		}
		next, tooLarge := s.fill(ms, at, int(c.driver.layout.In.Count))
		failed, refused := c.commit(s, now)
		err := c.out.send()
		if refused != nil {
			at.message, err = s.loads[failed].message, refused
		} else if err == nil {
			at, err = next, tooLarge
		}
		slots.give(s)
		if err != nil {
			return at.message, err
		}
	}
	return len(ms), nil
}

// commit has the machine make datagrams of what was loaded. Its error is that
// of the load that it answers.
func (c *Conn) commit(s *slot, now float64) (failed int, err error) {
	if len(s.loads) == 0 {
		return 0, nil
	}
	d := c.driver
	d.mu.Lock()
	switch {
	case d.dead != nil:
		err = d.dead
	case c.stage >= stageShut:
		err = c.closedError()
	default:
		failed, err = d.send(c, s, now)
	}
	c.out.later = append(c.out.later, d.unlock()...)
	return failed, err
}

// place is where one is in the messages.
type place struct{ message, offset int }

// fill loads payloads into the slot from the place on, at most so many loads,
// and answers how far it came. The error says that what comes next is longer
// than any datagram.
func (s *slot) fill(ms []Message, at place, most int) (place, error) {
	s.loads = s.loads[:0]
	used := 0
	for at.message < len(ms) && len(s.loads) < most {
		m := &ms[at.message]
		size, count := m.first(at.offset)
		if size > maxDatagram {
			return at, client.ErrTooLarge
		}
		if count = min(count, s.roomFor(size, used)); count == 0 {
			return at, nil
		}
		used = s.load(at.message, m.Peer, m.Buffer[at.offset:at.offset+count*size], size, used)
		if at.offset += count * size; at.offset == len(m.Buffer) {
			at = place{at.message + 1, 0}
		}
	}
	return at, nil
}

// first answers the size of the first payload from the offset on, and how many
// like it there are.
func (m *Message) first(offset int) (size, count int) {
	rest := len(m.Buffer) - offset
	if size = m.Segment; size <= 0 || size >= rest {
		return rest, 1
	}
	return size, rest / size
}

// between is the room between two payloads of a run: for a ChannelData header.
const between = 4

// roomFor is how many payloads of a size fit behind what is used. The headers
// and the padding of others than those on a channel take up to abi.Headroom in
// front of the first payload and abi.Tailroom behind the last one.
func (s *slot) roomFor(size, used int) int {
	free := len(s.data) - used - abi.Headroom - abi.Tailroom
	if size > free {
		return 0
	}
	return (free + between) / (size + between)
}

// load copies a run of payloads in, and answers how much is used then.
func (s *slot) load(message int, peer netip.AddrPort, run []byte, size, used int) int {
	used += abi.Headroom
	l := load{message, peer, s.at + uint32(used), uint32(size), 0, uint32(size + between)}
	for first := true; first || len(run) > 0; first = false {
		if !first {
			used += between
		}
		used += copy(s.data[used:], run[:size])
		run = run[size:]
		l.count++
	}
	s.loads = append(s.loads, l)
	return used + abi.Tailroom
}
