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
		if err := c.awaitRoom(); err != nil {
			return at.message, err
		}
		s := slots.take()
		if s == nil {
			return at.message, c.closedError()
		}
		next, tooLarge := s.fill(ms, at, int(c.driver.layout.In.Count))
		failed, refused := c.commit(s, now)
		err := c.out.send()
		if refused != nil {
			at.message, err = s.parcels[failed].message, refused
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
// of the parcel that it answers.
func (c *Conn) commit(s *slot, now float64) (failed int, err error) {
	if len(s.parcels) == 0 {
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

// fill loads payloads into the slot from the place on, at most so many parcels,
// and answers how far it came. The error says that what comes next is longer
// than any datagram.
func (s *slot) fill(ms []Message, at place, most int) (place, error) {
	s.parcels = s.parcels[:0]
	used := 0
	for at.message < len(ms) {
		m := &ms[at.message]
		size, count := m.first(at.offset)
		if size > maxDatagram {
			return at, client.ErrTooLarge
		}
		gap, joins := s.follow(m.Peer, size)
		if count = min(count, s.roomFor(size, used+gap)); count == 0 || !joins && len(s.parcels) == most {
			return at, nil
		}
		if !joins {
			s.parcels = append(s.parcels, parcel{
				at.message, m.Peer, s.at + uint32(used+gap), uint32(size), 0, uint32(size + between),
			})
		}
		used = s.copy(m.Buffer[at.offset:at.offset+count*size], used+gap, count)
		s.parcels[len(s.parcels)-1].count += uint32(count)
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

// follow says how far behind what is used a payload lies, and whether it joins
// the last parcel: equal payloads to one peer are a run.
//
// In front of a parcel belong abi.Headroom bytes to the machine, for the header
// of an indication. A parcel to the same peer as the run in front of it needs no
// more than the payloads of that run do among themselves: then both are one
// piece for the socket. For they are on one channel, or on none; and in that
// case the machine has moved the run elsewhere before it writes headers there.
func (s *slot) follow(peer netip.AddrPort, size int) (gap int, joins bool) {
	n := len(s.parcels)
	if n == 0 || s.parcels[n-1].peer != peer {
		return abi.Headroom, false
	}
	last := &s.parcels[n-1]
	if last.length == uint32(size) {
		return between, true
	}
	if last.count > 1 {
		return between, false
	}
	return abi.Headroom, false
}

// roomFor is how many payloads of a size fit from at on, with the room behind
// them for the padding of others than those on a channel.
func (s *slot) roomFor(size, at int) int {
	free := len(s.data) - at - abi.Tailroom
	if size > free {
		return 0
	}
	return (free + between) / (size + between)
}

// copy copies a run of payloads in, and answers how much is used then.
func (s *slot) copy(run []byte, at, count int) int {
	size := len(run) / count
	for range count {
		copy(s.data[at:], run[:size])
		at, run = at+size+between, run[size:]
	}
	return at - between
}
