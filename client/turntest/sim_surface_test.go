package turntest

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// chatty goes on after Closed; the rest of these break the other rules of the
// surface.
type chatty struct {
	Machine
	closed bool
}

func (c *chatty) PollEvent() (client.Event, bool) {
	e, ok := c.Machine.PollEvent()
	c.closed = c.closed || ok && e.Kind == client.Closed
	return e, ok
}

func (c *chatty) PollTimeout() (time.Duration, bool) {
	if c.closed {
		return 999 * time.Hour, true
	}
	return c.Machine.PollTimeout()
}

// endless never runs dry.
type endless struct{ Machine }

func (e *endless) PollEvent() (client.Event, bool) { return client.Event{Kind: client.Refreshed}, true }

// careless sends data to peers that have no permission.
type careless struct {
	Machine
	server netip.AddrPort
	out    []client.Transmit
}

func (c *careless) Send(_ time.Duration, peer netip.AddrPort, payload []byte) error {
	c.out = append(c.out, client.Transmit{To: c.server, Data: Build(MethodSend, Indication, TransactionID{}).
		Address(AttrXORPeerAddress, peer).Bytes(AttrData, payload).Datagram()})
	return nil
}

func (c *careless) PollTransmit() (client.Transmit, bool) {
	if len(c.out) > 0 {
		t := c.out[0]
		c.out = c.out[1:]
		return t, true
	}
	return c.Machine.PollTransmit()
}

// gullible changes its phase when anything comes in.
type gullible struct {
	Machine
	lost bool
}

func (g *gullible) HandleInput(now time.Duration, flow client.Flow, from netip.AddrPort, data []byte) {
	g.Machine.HandleInput(now, flow, from, data)
	m, err := Decode(data)
	g.lost = g.lost || err == nil && m.Class == Failure && !m.Signed() && m.Has(AttrErrorCode) && g.Machine.Phase() == client.PhaseAllocated
}

func (g *gullible) Phase() client.Phase {
	if g.lost && g.Machine.Phase() == client.PhaseAllocated {
		return client.PhaseAllocating
	}
	return g.Machine.Phase()
}

// hoarder keeps every datagram.
type hoarder struct {
	Machine
	Kept [][]byte
}

func (h *hoarder) HandleTimeout(now time.Duration) {
	h.Machine.HandleTimeout(now)
	h.Kept = append(h.Kept, make([]byte, 64<<10))
}

// entangled moves another client's timer when it closes.
type entangled struct {
	Machine
	shared *bool
}

func (e *entangled) Close(now, linger time.Duration) {
	e.Machine.Close(now, linger)
	*e.shared = true
}

func (e *entangled) PollTimeout() (time.Duration, bool) {
	at, ok := e.Machine.PollTimeout()
	if *e.shared && ok {
		at += time.Second
	}
	return at, ok
}

// hasty sends the release before it knows what it releases.
type hasty struct {
	Machine
	phase client.Phase
	out   []client.Transmit
}

func (h *hasty) Close(now, linger time.Duration) {
	if t, _, ok := h.Parting(now, nil); ok && h.Phase() == h.phase && linger > 0 {
		t.Data = append([]byte(nil), t.Data...)
		h.out = append(h.out, t)
	}
	h.Machine.Close(now, linger)
}

func (h *hasty) PollTransmit() (client.Transmit, bool) {
	if len(h.out) > 0 {
		t := h.out[0]
		h.out = nil
		return t, true
	}
	return h.Machine.PollTransmit()
}

// deaf does not hear some responses.
type deaf struct {
	Machine
	to func(m *Message) bool
}

func (d *deaf) HandleInput(now time.Duration, flow client.Flow, from netip.AddrPort, data []byte) {
	if m, err := Decode(data); err == nil && d.to(m) {
		data = nil
	}
	d.Machine.HandleInput(now, flow, from, data)
}

func staleRelease(m *Message) bool {
	code, _ := m.ErrorCode()
	return code == 438 && m.Method == MethodRefresh
}

func allocateSuccess(m *Message) bool { return m.Method == MethodAllocate && m.Class == Success }

func refreshSuccess(m *Message) bool { return m.Method == MethodRefresh && m.Class == Success }

func mismatch(m *Message) bool {
	code, _ := m.ErrorCode()
	return code == 437 && m.Signed() && m.Method != MethodAllocate
}

func TestRulesFindFaultsOfTheSurface(t *testing.T) {
	shared := new(bool)
	for rules, wrapper := range map[string]func(Machine) Machine{
		"C5":    func(m Machine) Machine { return &hasty{Machine: m, phase: client.PhaseAuthenticated} },
		"C6":    func(m Machine) Machine { return &hasty{Machine: m, phase: client.PhaseAllocated} },
		"C7":    func(m Machine) Machine { return &deaf{m, staleRelease} },
		"L1":    func(m Machine) Machine { return &deaf{m, allocateSuccess} },
		"C6 C2": func(m Machine) Machine { return &deaf{m, refreshSuccess} },
		"L7":    func(m Machine) Machine { return &deaf{m, mismatch} },
		"I8":    func(m Machine) Machine { return &chatty{Machine: m} },
		"I1":    func(m Machine) Machine { return &endless{m} },
		"I4": func(m Machine) Machine {
			return &careless{Machine: m, server: netip.MustParseAddrPort("192.0.2.1:3478")}
		},
		"I7":  func(m Machine) Machine { return &gullible{Machine: m} },
		"I11": func(m Machine) Machine { return &hoarder{Machine: m} },
		"C12": func(m Machine) Machine { return &entangled{m, shared} },
	} {
		wantFound(t, fmt.Sprintf("%T", wrapper(nil)), rules, Options{New: func(cfg client.Config) (Machine, error) {
			*shared = false
			c, err := client.New(cfg)
			return wrapper(c), err
		}})
	}
}
