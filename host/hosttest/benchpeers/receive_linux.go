package main

import "fmt"

// receive counts what the far side generates. The measured window lies between
// two numbers of the stream, so that it is the same work for everybody.
func receive(c contestant, s *spec) (*told, error) {
	next, err := newIncoming(c, s)
	if err != nil {
		return nil, err
	}
	r := &receiving{book: newLedger()}
	r.from = uint64(s.Warm.Seconds() * float64(s.Rate))
	r.to = uint64((s.Warm+s.Measure).Seconds()*float64(s.Rate)) - uint64(s.Burst)
	each := r.take
	for !r.over {
		if err := next.receive(each); err != nil {
			return nil, err
		}
		if err := r.window(s); err != nil {
			return nil, err
		}
	}
	if !r.ended { // its last packets are lost: nothing was measured
		r.told = told{}
	}
	r.told.Total, r.told.Bad = r.book.Valid, r.book.Bad+r.book.Twice
	return &r.told, nil
}

func newIncoming(c contestant, s *spec) (incoming, error) {
	if s.Work == workRead {
		return &reads{c: c, b: make([]byte, 2048)}, nil
	}
	b, can := c.(batcher)
	if !can {
		return nil, fmt.Errorf("%s has no batches", s.Who)
	}
	return b.incoming(), nil
}

// receiving is a stream that comes in.
type receiving struct {
	book         *ledger
	from, to     uint64
	begun, ended bool
	over         bool // goodbye was said
	use          usage
	before       uint64
	told         told
}

func (r *receiving) take(payload []byte) {
	if number, ok := r.book.take(payload); ok && number == goodbye {
		r.over = true
	}
}

// window is called after each call that received.
func (r *receiving) window(s *spec) (err error) {
	switch {
	case !r.begun && r.book.Next >= r.from:
		r.begun, r.before = true, r.book.Valid
		r.use, err = s.begin()
	case r.begun && !r.ended && r.book.Next >= r.to:
		r.ended = true
		r.use.end(&r.told)
		r.told.Packets = r.book.Valid - r.before
	}
	return err
}

// reads is plain reads as batches of one.
type reads struct {
	c contestant
	b []byte
}

func (r *reads) receive(each func([]byte)) error {
	n, err := r.c.read(r.b)
	if err != nil {
		return err
	}
	each(r.b[:n])
	return nil
}
