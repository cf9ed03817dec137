package instance

import "time"

// deadlines is a binary heap of one deadline a client. Each entry knows its
// place, so a change costs the height of the heap and a tick what is due.
type deadlines []wake

type wake struct {
	at   time.Duration
	slot int32
}

func (d deadlines) first() (at time.Duration, ok bool) {
	if len(d) == 0 {
		return 0, false
	}
	return d[0].at, true
}

// set enters or moves a slot's deadline.
func (d *deadlines) set(s *slots, slot int32, at time.Duration) {
	e := s.at(slot)
	if e.wakeAt == 0 {
		*d = append(*d, wake{at, slot})
		e.wakeAt = int32(len(*d))
		d.up(s, len(*d)-1)
		return
	}
	i := int(e.wakeAt) - 1
	if (*d)[i].at == at {
		return
	}
	(*d)[i].at = at
	d.down(s, d.up(s, i))
}

func (d *deadlines) remove(s *slots, slot int32) {
	e := s.at(slot)
	if e.wakeAt == 0 {
		return
	}
	i, last := int(e.wakeAt)-1, len(*d)-1
	d.swap(s, i, last)
	*d = (*d)[:last]
	e.wakeAt = 0
	if i < last {
		d.down(s, d.up(s, i))
	}
}

func (d deadlines) up(s *slots, i int) int {
	for i > 0 {
		parent := (i - 1) / 2
		if d[parent].at <= d[i].at {
			break
		}
		d.swap(s, i, parent)
		i = parent
	}
	return i
}

func (d deadlines) down(s *slots, i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(d); child++ {
			if d[child].at < d[least].at {
				least = child
			}
		}
		if least == i {
			return
		}
		d.swap(s, i, least)
		i = least
	}
}

func (d deadlines) swap(s *slots, i, j int) {
	d[i], d[j] = d[j], d[i]
	s.at(d[i].slot).wakeAt = int32(i + 1)
	s.at(d[j].slot).wakeAt = int32(j + 1)
}
