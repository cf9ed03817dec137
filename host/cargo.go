package host

// cargo is datagrams to ship: either a run, which lies in one piece, or each
// where it is.
type cargo struct {
	run     []byte
	segment int // bytes of a datagram of the run; the last may have fewer. 0: it is one
	each    [][]byte
}

// count is the number of datagrams. A run without bytes is one empty datagram.
func (c *cargo) count() int {
	switch {
	case c.each != nil:
		return len(c.each)
	case c.segment <= 0 || len(c.run) <= c.segment:
		return 1
	}
	return (len(c.run) + c.segment - 1) / c.segment
}

// at is datagram number i.
func (c *cargo) at(i int) []byte {
	switch {
	case c.each != nil:
		return c.each[i]
	case c.segment <= 0:
		return c.run
	}
	return c.run[i*c.segment : min((i+1)*c.segment, len(c.run))]
}

// stretch is n datagrams of the run, from number i on.
func (c *cargo) stretch(i, n int) []byte {
	if c.segment <= 0 {
		return c.run
	}
	return c.run[i*c.segment : min((i+n)*c.segment, len(c.run))]
}
