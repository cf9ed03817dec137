package main

import (
	"errors"
	"time"
)

// pingPong sends one packet, waits until it is back, and sends the next. A trip
// that is lost hangs, which the parent's patience ends: loopback loses none.
func pingPong(c contestant, s *spec) (*told, error) {
	p := &pings{c: c, payload: make([]byte, s.Sizes[0]), in: make([]byte, 2048)}
	if _, err := p.run(s.Warm); err != nil {
		return nil, err
	}
	t := &told{}
	before := p.next
	u, err := s.begin()
	if err != nil {
		return nil, err
	}
	took, err := p.run(s.Measure)
	if err != nil {
		return nil, err
	}
	u.end(t)
	t.Packets, t.Total = p.next-before, p.next
	t.Trips = newTrips(took)
	return t, nil
}

type pings struct {
	c           contestant
	payload, in []byte
	next        uint64
}

func (p *pings) run(d time.Duration) (took []time.Duration, err error) {
	took = make([]time.Duration, 0, 1<<18)
	start := time.Now()
	for left := start; left.Sub(start) < d; {
		fill(p.payload, p.next)
		if err := p.c.write(p.payload); err != nil {
			return nil, err
		}
		if err := p.await(); err != nil {
			return nil, err
		}
		back := time.Now()
		took = append(took, back.Sub(left))
		left = back
		p.next++
	}
	return took, nil
}

// await reads until the packet is back.
func (p *pings) await() error {
	for {
		n, err := p.c.read(p.in)
		if err != nil {
			return err
		}
		number, ok := numberOf(p.in[:n])
		switch {
		case !ok:
			return errors.New("what came back is not what was sent")
		case number == p.next:
			return nil
		case number < maxNumbers:
			return errors.New("an old packet came back again")
		}
	}
}
