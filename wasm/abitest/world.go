package abitest

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// ServerAddr is where each client's server of its own is.
var ServerAddr = netip.MustParseAddrPort("203.0.113.1:3478")

// Peer is one that sends back what it gets.
var Peer = netip.MustParseAddrPort("203.0.113.9:4000")

// Secret is every client's password.
const Secret = "correct horse battery staple"

// World is a host whose clients have a server each, on a network that takes no
// time. What is sent arrives, and is answered, before the call returns.
type World struct {
	*Host
	Servers map[int32]*turntest.Server
	Events  map[int32][]client.Event
	Data    map[int32][][]byte // payloads received
	Parting map[int32][]byte
}

// NewWorld takes an instance.
func NewWorld(t testing.TB, x Exports, region []byte) *World {
	t.Helper()
	return &World{
		Host: NewHost(t, x, region), Servers: map[int32]*turntest.Server{},
		Events: map[int32][]client.Event{}, Data: map[int32][][]byte{}, Parting: map[int32][]byte{},
	}
}

// Config is what Join opens a client with.
func Config() client.Config {
	return client.Config{Server: ServerAddr, Username: []byte("alice"), Password: []byte(Secret), AutoPermission: true}
}

// Join opens a client that draws its transaction IDs from the seed.
func (w *World) Join(seed uint64) int32 {
	w.t.Helper()
	s := make([]byte, abi.SeedSize)
	binary.LittleEndian.PutUint64(s, seed)
	h := w.MustOpen(Config(), s)
	w.Servers[h] = turntest.NewServer(turntest.ServerConfig{
		Addr: ServerAddr, Users: map[string]string{"alice": Secret},
	})
	return h
}

// Order carries out a command; what comes of it has happened when it returns.
func (w *World) Order(h int32, c abi.Command) {
	w.t.Helper()
	code, outs := w.Do(h, c)
	if code != abi.CodeOK {
		w.t.Fatalf("command %d: %v %s", c.Cmd, code.Err(), w.ErrorText())
	}
	w.Settle(outs)
}

// Leave closes a client and frees it; it answers the outcome.
func (w *World) Leave(h int32, linger time.Duration) client.Outcome {
	w.t.Helper()
	w.Settle(w.Bye(h, linger))
	events := w.Events[h]
	if len(events) == 0 || events[len(events)-1].Kind != client.Closed {
		w.t.Fatalf("the last event is not Closed: %v", events)
	}
	if code := w.Free(h); code != 0 {
		w.t.Fatalf("turn_free: %d", code)
	}
	return events[len(events)-1].Outcome
}

// AdvanceTo wakes the instance at each of its deadlines up to the instant.
func (w *World) AdvanceTo(until time.Duration) {
	w.t.Helper()
	for at, ok := w.Next(); ok && at <= until; at, ok = w.Next() {
		w.Now = max(w.Now, at)
		w.Settle(w.Wake())
	}
	w.Now = until
}

// Settle delivers what was sent, and what that causes, until nothing is left.
func (w *World) Settle(outs []Out) {
	w.t.Helper()
	for len(outs) > 0 {
		var next []Out
		for i := range outs {
			next = append(next, w.settle(&outs[i])...)
		}
		outs = next
	}
}

func (w *World) settle(o *Out) (next []Out) {
	w.t.Helper()
	switch o.Kind {
	case abi.KindTransmit:
		for _, p := range o.Packets {
			next = append(next, w.deliver(o.Client, o.Flow, p)...)
		}
	case abi.KindData:
		w.Data[o.Client] = append(w.Data[o.Client], o.Packets...)
	case abi.KindEvent:
		w.Events[o.Client] = append(w.Events[o.Client], o.Event)
	case abi.KindParting:
		w.Parting[o.Client] = o.Packets[0]
	}
	return next
}

// ClientAddr is where the server sees a client.
func ClientAddr(h int32) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(h >> 16), byte(h >> 8), byte(h)}), 5000)
}

// deliver takes a datagram to the client's server, and what it answers back.
// What the server relays to a peer comes back as from that peer.
func (w *World) deliver(h int32, flow uint32, datagram []byte) (outs []Out) {
	w.t.Helper()
	s := w.Servers[h]
	s.Handle(w.Now, ServerAddr, ClientAddr(h), datagram)
	for d, ok := s.Poll(); ok; d, ok = s.Poll() {
		if d.To == ClientAddr(h) {
			outs = append(outs, w.Receive(h, flow, d.Data)...)
		} else {
			s.Handle(w.Now, d.From, d.To, d.Data)
		}
	}
	return outs
}

// Kinds are the kinds of a client's events.
func (w *World) Kinds(h int32) (kinds []client.EventKind) {
	for _, e := range w.Events[h] {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}
