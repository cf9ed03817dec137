package host

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

const manyClients = 10_000

var manyServer = netip.MustParseAddrPort("192.0.2.1:3478")

// TestManyClients drives 10,000 clients in one instance of the module against
// the server model, in virtual time: allocated, given permissions and a
// channel, refreshed three times, a tenth of them churned at each refresh,
// closed. The server counts what is left.
func TestManyClients(t *testing.T) {
	if testing.Short() {
		t.Skip("10,000 clients")
	}
	f := newFleet(t)
	base := f.e.memory()
	for i := range manyClients {
		f.open(i)
	}
	f.settle()
	if n := f.held(); n != manyClients {
		t.Fatalf("the server holds %d allocations, want %d", n, manyClients)
	}
	for round := range 3 {
		f.advance(9 * time.Minute)
		for i := round; i < manyClients; i += 10 {
			f.close(i, 2*time.Second)
		}
		f.settle()
		f.advance(10 * time.Second)
		for i := round; i < manyClients; i += 10 {
			f.open(i)
		}
		f.settle()
		f.advance(time.Second)
	}
	if n := f.held(); n != manyClients || f.failed != 0 {
		t.Fatalf("after the churn the server holds %d allocations, want %d; %d failures", n, manyClients, f.failed)
	}
	memory := f.e.memory()
	for i := range manyClients {
		f.close(i, 2*time.Second)
	}
	f.settle()
	f.advance(5 * time.Second)
	if n := f.held(); n != 0 {
		t.Errorf("after every close the server holds %d allocations", n)
	}
	if want := manyClients + 3*manyClients/10; f.released != want {
		t.Errorf("%d closes were released, want %d", f.released, want)
	}
	t.Logf("linear memory %d MiB, %d bytes a client over the empty instance", memory>>20, (memory-base)/manyClients)
	t.Logf("%d ticks, %v each; longest call %v (%s)", f.ticks, f.ticking/time.Duration(max(f.ticks, 1)), f.longest, f.longestCall)
}

// fleet is many clients in one instance, and the server that they talk to.
type fleet struct {
	t       testing.TB
	e       engine
	layout  abi.Layout
	servers []*turntest.Server // many small ones: the model is not made for thousands of clients
	now     time.Duration
	handles []int32
	index   map[int32]int
	closed  []int32

	released, failed int
	ticks            int
	ticking, longest time.Duration
	longestCall      string
}

func newFleet(t testing.TB) *fleet {
	ctx := context.Background()
	engines, err := newWazeroEngines(ctx, wazeroOptions{module: wasm.Module(), cacheDir: t.TempDir(), rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engines.shut(ctx) })
	e, err := engines.instantiate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	layout, err := abi.LoadLayout(e.region())
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{
		t: t, e: e, layout: layout, now: time.Second,
		handles: make([]int32, manyClients), index: map[int32]int{},
	}
	for range manyClients / 50 {
		f.servers = append(f.servers, turntest.NewServer(turntest.ServerConfig{
			Addr: manyServer, Users: map[string]string{"alice": "secret"}, Flavour: turntest.Coturn,
		}))
	}
	return f
}

func (f *fleet) ms() float64 { return abi.MS(f.now) }

// timed calls an export and keeps the longest time.
func (f *fleet) timed(name string, call func() error) time.Duration {
	start := time.Now()
	if err := call(); err != nil {
		f.t.Fatal(name, err)
	}
	took := time.Since(start)
	if took > f.longest {
		f.longest, f.longestCall = took, name
	}
	return took
}

// control calls an export that takes a record in control-in.
func (f *fleet) control(name string, rec []byte, call func(n int32) (int32, error)) int32 {
	copy(f.e.region()[f.layout.ControlIn.Offset:], rec)
	var got int32
	f.timed(name, func() (err error) { got, err = call(int32(len(rec))); return err })
	if got < 0 {
		f.t.Fatalf("%s: %v", name, abi.Code(got).Err())
	}
	return got
}

// addr is the address of the i-th client, whose the reverse.
func (f *fleet) addr(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 5000)
}

func (f *fleet) whose(a netip.AddrPort) int {
	return int(binary.BigEndian.Uint32(a.Addr().AsSlice()) & 0xffffff)
}

// held is what all the servers hold.
func (f *fleet) held() (n int) {
	for _, server := range f.servers {
		n += server.Allocations()
	}
	return n
}

func (f *fleet) tickServers() {
	for _, server := range f.servers {
		server.Tick(f.now)
	}
}

func (f *fleet) open(i int) {
	cfg := client.Config{Server: manyServer, Username: []byte("alice"), Password: []byte("secret")}
	h := f.control("turn_open", abi.AppendConfig(nil, &cfg, nil), func(n int32) (int32, error) { return f.e.open(f.ms(), n) })
	f.handles[i], f.index[h] = h, i
	peers := []netip.AddrPort{netip.MustParseAddrPort("198.51.100.1:9"), netip.MustParseAddrPort("198.51.100.2:9")}
	f.command(h, abi.Command{Cmd: abi.CmdAllocate})
	f.command(h, abi.Command{Cmd: abi.CmdCreatePermission, Peers: peers})
	f.command(h, abi.Command{Cmd: abi.CmdBindChannel, Peers: peers[:1]})
	if i%100 == 99 {
		f.settle()
	}
}

func (f *fleet) command(h int32, c abi.Command) {
	f.control("turn_command", abi.AppendCommand(nil, &c), func(n int32) (int32, error) { return f.e.command(f.ms(), h, n) })
}

func (f *fleet) close(i int, linger time.Duration) {
	f.control("turn_close", nil, func(int32) (int32, error) { return f.e.close(f.ms(), f.handles[i], abi.MS(linger)) })
}

// settle carries datagrams to and fro until nobody has more to say.
func (f *fleet) settle() {
	for f.poll() || f.answer() {
	}
}

// poll drains the instance: datagrams to the server, events into the counts.
func (f *fleet) poll() (any bool) {
	for {
		var n int32
		f.timed("turn_poll", func() (err error) { n, err = f.e.poll(); return err })
		if n == 0 {
			return any
		}
		any = true
		for d := range f.outs(n) {
			f.take(d)
		}
		f.freeClosed()
	}
}

// freeClosed frees the clients whose Closed has come; not while descriptors
// are read, which are good until the next call.
func (f *fleet) freeClosed() {
	for _, h := range f.closed {
		f.control("turn_free", nil, func(int32) (int32, error) { return f.e.free(h) })
		delete(f.index, h)
	}
	f.closed = f.closed[:0]
}

func (f *fleet) outs(n int32) func(func(*abi.Desc) bool) {
	return func(yield func(*abi.Desc) bool) {
		var d abi.Desc
		for i := range uint32(n) {
			d.Load(f.e.region()[f.layout.Out.Offset+i*abi.DescSize:])
			if !yield(&d) {
				return
			}
		}
	}
}

func (f *fleet) take(d *abi.Desc) {
	data := f.e.region()[d.Offset : d.Offset+d.Length]
	switch d.Kind {
	case abi.KindTransmit:
		i := f.index[d.Client]
		f.servers[i%len(f.servers)].Handle(f.now, manyServer, f.addr(i), append([]byte(nil), data...))
	case abi.KindEvent:
		e, err := abi.ParseEvent(data)
		if err != nil {
			f.t.Fatal(err)
		}
		f.happened(d.Client, e)
	}
}

func (f *fleet) happened(h int32, e client.Event) {
	switch e.Kind {
	case client.AllocateFailed, client.AllocationLost, client.PermissionFailed, client.ChannelFailed:
		f.failed++
	case client.Closed:
		if e.Outcome == client.Released {
			f.released++
		}
		f.closed = append(f.closed, h)
	}
}

// answer hands the servers' datagrams in, in batches.
func (f *fleet) answer() bool {
	var waiting []turntest.Datagram
	for _, server := range f.servers {
		for dg, ok := server.Poll(); ok; dg, ok = server.Poll() {
			waiting = append(waiting, dg)
		}
	}
	any := len(waiting) > 0
	for len(waiting) > 0 {
		waiting = waiting[f.input(waiting):]
	}
	return any
}

// input is one batch. It answers how many of the datagrams are done with: a
// batch ends early when the answers fill control-out.
func (f *fleet) input(waiting []turntest.Datagram) int {
	const slot = 2048
	waiting = waiting[:min(len(waiting), int(min(f.layout.In.Count, f.layout.Arena.Size/slot)))]
	for i, dg := range waiting {
		at := f.layout.Arena.Offset + uint32(i)*slot
		d := abi.Desc{
			Client: f.handles[f.whose(dg.To)], Kind: abi.KindInput, Addr: dg.From,
			Offset: at, Length: uint32(copy(f.e.region()[at:], dg.Data)),
		}
		d.Store(f.e.region()[f.layout.In.Offset+uint32(i)*abi.DescSize:])
	}
	var outs int32
	f.timed("turn_input", func() (err error) { outs, err = f.e.input(f.ms(), int32(len(waiting))); return err })
	done := abi.Header(f.e.region()).Consumed()
	for d := range f.outs(outs) {
		f.take(d)
	}
	f.freeClosed()
	f.poll()
	if done == 0 {
		f.t.Fatal("a batch of which nothing was consumed")
	}
	return done
}

// advance lets virtual time pass, deadline by deadline.
func (f *fleet) advance(by time.Duration) {
	end := f.now + by
	for {
		f.settle()
		next := abi.Header(f.e.region()).Next()
		at, ok := abi.Duration(next)
		if math.IsInf(next, 1) || !ok || at > end {
			break
		}
		f.now = max(f.now, at)
		f.tickServers()
		f.ticking += f.timed("turn_tick", func() error { _, err := f.e.tick(f.ms()); return err })
		f.ticks++
	}
	f.now = end
	f.tickServers()
	f.settle()
}
