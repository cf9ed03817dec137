package idlebench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

const (
	roundTrip = 20 * time.Millisecond
	linger    = 2 * time.Second
	// maxBatch is how many datagrams go into one turn_input.
	maxBatch = 64
	// datagramRoom is a datagram's place in the arena.
	datagramRoom = 1 << 10
)

var (
	peers = []netip.AddrPort{netip.MustParseAddrPort("198.51.100.1:9"), netip.MustParseAddrPort("198.51.100.2:9")}

	errFailed = errors.New("idlebench: a client failed")
)

// fleet is many clients in one instance, and the network to their server.
type fleet struct {
	*instance
	now     time.Duration
	refresh time.Duration // between two Refreshes of a client
	deaf    bool          // the server does not answer

	users   []user
	handles []int32 // 0: not open
	index   map[int32]int
	closed  []int32
	answers []datagram // in the order of their arrival
	err     error
	empty   int // linear memory of the empty instance

	refreshes, failures, refused int
}

// datagram is an answer on its way.
type datagram struct {
	at     time.Duration
	client int32
	data   []byte
}

func newFleet(ctx context.Context, m *Module, n int) (*fleet, error) {
	in, err := m.instantiate(ctx)
	if err != nil {
		return nil, err
	}
	f := &fleet{
		instance: in, now: time.Hour, refresh: 3 * time.Minute,
		users: make([]user, n), handles: make([]int32, n), index: make(map[int32]int, n), empty: in.memory(),
	}
	for i := range f.users {
		f.users[i] = newUser(i)
	}
	return f, nil
}

func (f *fleet) ms() uint64 { return api.EncodeF64(abi.MS(f.now)) }

// note keeps the first error.
func (f *fleet) note(err error) {
	if f.err == nil {
		f.err = err
	}
}

// does calls an export of which only the error counts, and drains.
func (f *fleet) does(name string, args ...uint64) {
	_, err := f.i32(name, args...)
	f.note(err)
	f.drain()
}

// open makes the i-th client and lets it ask for everything that it holds.
// It answers turn_open's error.
func (f *fleet) open(i int) error {
	u := &f.users[i]
	cfg := client.Config{
		Server: serverAddr, Username: []byte(u.name), Password: []byte(u.password), RefreshCap: f.refresh,
	}
	n := f.record(abi.AppendConfig(nil, &cfg, nil))
	h, err := f.i32("turn_open", f.ms(), n)
	if err != nil {
		return err
	}
	f.handles[i], f.index[h] = h, i
	f.command(i, &abi.Command{Cmd: abi.CmdAllocate})
	f.command(i, &abi.Command{Cmd: abi.CmdCreatePermission, Peers: peers})
	f.command(i, &abi.Command{Cmd: abi.CmdBindChannel, Peers: peers[:1]})
	return nil
}

// command gives a client a command. One that is refused for want of memory is
// counted: the client goes on without.
func (f *fleet) command(i int, c *abi.Command) {
	n := f.record(abi.AppendCommand(nil, c))
	_, err := f.i32("turn_command", f.ms(), api.EncodeI32(f.handles[i]), n)
	if errors.Is(err, client.ErrLimit) {
		f.refused++
		err = nil
	}
	f.note(err)
	f.drain()
}

func (f *fleet) close(i int) {
	f.does("turn_close", f.ms(), api.EncodeI32(f.handles[i]), api.EncodeF64(abi.MS(linger)))
	f.handles[i] = 0
}

// drain polls until the instance has nothing to say.
func (f *fleet) drain() {
	for f.header.Pending() && f.err == nil {
		n, err := f.i32("turn_poll")
		f.note(err)
		f.take(n)
	}
}

// take reads the out-descriptors of a call.
func (f *fleet) take(n int32) {
	for i := range int(n) {
		v := f.layout.Out.At(f.region, i)
		data := f.region[v.Offset() : v.Offset()+v.Length()]
		switch v.Kind() {
		case abi.KindTransmit:
			f.ship(v.Client(), data)
		case abi.KindEvent:
			e, err := abi.ParseEvent(data)
			f.note(err)
			f.happened(v.Client(), &e)
		}
	}
	for _, h := range f.closed {
		delete(f.index, h)
		_, err := f.i32("turn_free", api.EncodeI32(h))
		f.note(err)
	}
	f.closed = f.closed[:0]
}

func (f *fleet) ship(h int32, data []byte) {
	if f.deaf {
		return
	}
	answer, err := f.users[f.index[h]].answer(f.now, append([]byte(nil), data...))
	f.note(err)
	f.answers = append(f.answers, datagram{f.now + roundTrip, h, answer})
}

func (f *fleet) happened(h int32, e *client.Event) {
	switch e.Kind {
	case client.Refreshed:
		f.refreshes++
	case client.Closed:
		f.closed = append(f.closed, h)
		if e.Outcome != client.Released {
			f.failures++
		}
	case client.AllocateFailed, client.AllocationLost, client.PermissionFailed, client.ChannelFailed,
		client.RefreshFailed, client.CommandDropped, client.CredentialsExpired:
		f.failures++
	}
}

// run lets the time pass until the instant: what is due is served when it is.
func (f *fleet) run(until time.Duration) {
	for f.err == nil {
		next := f.deadline()
		if len(f.answers) > 0 {
			next = min(next, f.answers[0].at)
		}
		if next > until {
			break
		}
		f.now = max(f.now, next)
		f.receive()
		if f.deadline() <= f.now {
			f.tick()
		}
	}
	f.now = max(f.now, until)
	if f.failures > 0 {
		f.note(fmt.Errorf("%w: %d of them", errFailed, f.failures))
	}
}

// deadline is the header's.
func (f *fleet) deadline() time.Duration {
	at, ok := abi.Duration(f.header.Next())
	if !ok {
		return math.MaxInt64
	}
	return at
}

func (f *fleet) tick() {
	f.note(f.call("turn_tick", f.ms()))
	f.drain()
}

// receive hands in what has arrived.
func (f *fleet) receive() {
	for len(f.answers) > 0 && f.answers[0].at <= f.now && f.err == nil {
		n := 0
		for n < min(maxBatch, len(f.answers)) && f.answers[n].at <= f.now {
			f.put(n, &f.answers[n])
			n++
		}
		outs, err := f.i32("turn_input", f.ms(), api.EncodeI32(int32(n)))
		f.note(err)
		f.take(outs)
		f.answers = f.answers[f.header.Consumed():]
		f.drain()
	}
}

func (f *fleet) put(i int, d *datagram) {
	at := f.layout.Arena.Offset + uint32(i)*datagramRoom
	copy(f.region[at:], d.data)
	desc := abi.Desc{Client: d.client, Kind: abi.KindInput, Offset: at, Length: uint32(len(d.data))}
	desc.Store(f.layout.In.At(f.region, i))
}
