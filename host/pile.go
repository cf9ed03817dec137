package host

import (
	"net/netip"
	"sync"
)

// pile is what is queued. It is sent as a whole.
type pile struct {
	data []byte // the payloads, back to back; it never grows
	ms   []Message
}

// A pile is what fits a slot; runs of payloads of common sizes fill it well.
const (
	pileBytes    = slotSize - 1<<10
	pileMessages = 256
)

var piles = sync.Pool{New: func() any { return &pile{data: make([]byte, 0, pileBytes)} }}

// full says whether n bytes do not fit. There is always room for one payload.
func (p *pile) full(n int) bool {
	return p != nil && (len(p.data)+n > cap(p.data) || len(p.ms) == pileMessages)
}

// add copies a payload in. Equal ones to the same peer make a run.
func (p *pile) add(b []byte, peer netip.AddrPort) {
	at := len(p.data)
	p.data = append(p.data, b...)
	if i := len(p.ms) - 1; i >= 0 && p.ms[i].extends(b, peer) {
		m := &p.ms[i]
		if m.Segment == 0 {
			m.Segment = len(m.Buffer)
		}
		m.Buffer = m.Buffer[:len(m.Buffer)+len(b)]
		return
	}
	p.ms = append(p.ms, Message{Buffer: p.data[at:], Peer: peer})
}

// extends says whether b may be the next payload of the run that m is or
// becomes. The last one may be shorter.
func (m *Message) extends(b []byte, peer netip.AddrPort) bool {
	segment := m.Segment
	if segment == 0 {
		segment = len(m.Buffer)
	}
	return len(b) > 0 && len(b) <= segment && len(m.Buffer)%segment == 0 && m.Peer == peer
}
