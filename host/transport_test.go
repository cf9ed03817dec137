package host

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gopacket/gopacket/pcapgo"
)

// wireKinds are the ways in which a transport can be made to work here; other
// files add what their system has.
var wireKinds = map[string]func(t *transport){
	"system's": func(*transport) {},
	"plain":    func(t *transport) { t.wire = &plainWire{sock: t.sock, cut: new(atomic.Uint64)} },
}

// longDatagram is what every system sends, and longest what this one does.
var longDatagram, longest = 4000, 9000

// cutBy is how many datagrams the transport has cut.
var cutBy = func(t *transport) uint64 { return t.wire.(*plainWire).cut.Load() }

var loopbacks = []string{"127.0.0.1", "::1"}

// onEachWire runs the test over every kind of wire and both families.
func onEachWire(t *testing.T, test func(t *testing.T, tr *transport, far *net.UDPConn)) {
	for kind, make := range wireKinds {
		for _, ip := range loopbacks {
			t.Run(kind+" "+ip, func(t *testing.T) {
				far := listen(t, ip)
				tr := openTo(t, far, nil)
				make(tr)
				test(t, tr, far)
			})
		}
	}
}

// listen is the far side's socket, which must not wait for ever.
func listen(t *testing.T, ip string) *net.UDPConn {
	t.Helper()
	far, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		t.Fatalf("the far side's socket: %v", err)
	}
	t.Cleanup(func() { far.Close() })
	_ = far.SetReadBuffer(1 << 20) // as much as there is
	must(t, far.SetReadDeadline(time.Now().Add(20*time.Second)))
	return far
}

func openTo(t *testing.T, far *net.UDPConn, trace *Trace) *transport {
	t.Helper()
	s := &settings{
		Config: Config{Trace: trace, ReadBuffer: 4 << 20, WriteBuffer: 4 << 20}, cut: new(atomic.Uint64),
	}
	tr, err := openTransport(t.Context(), 7, netip.AddrPort{}, addrOf(far), s)
	if err != nil {
		t.Fatalf("openTransport: %v", err)
	}
	t.Cleanup(tr.close)
	must(t, tr.setReadDeadline(time.Now().Add(20*time.Second)))
	return tr
}

func addrOf(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// numbered makes a datagram of that size that differs from the others.
func numbered(n, size int) []byte {
	b := bytes.Repeat([]byte{byte(n), byte(n >> 8), byte(n * 7)}, size/3+1)
	return b[:size]
}

func lot(sizes ...int) (bs [][]byte) {
	for i, size := range sizes {
		bs = append(bs, numbered(i, size))
	}
	return bs
}

func equal(n, size int) (sizes []int) {
	for range n {
		sizes = append(sizes, size)
	}
	return sizes
}

// wantArrived reads the datagrams and no other: a sentinel comes next.
func wantArrived(t *testing.T, tr *transport, far *net.UDPConn, want [][]byte) {
	t.Helper()
	sentinel := []byte("that was all")
	must(t, tr.send(sentinel))
	b := make([]byte, maxDatagram)
	for i, w := range append(want[:len(want):len(want)], sentinel) {
		n, err := far.Read(b)
		if err != nil {
			t.Fatalf("datagram %d of %d: %v", i, len(want), err)
		}
		if !bytes.Equal(b[:n], w) {
			t.Fatalf("datagram %d of %d has %d bytes %.9x, want %d bytes %.9x", i, len(want), n, b[:n], len(w), w)
		}
	}
}

func TestTransportSendsRuns(t *testing.T) {
	cases := map[string]struct{ count, segment, last int }{
		"one":                          {1, 1200, 1200},
		"equal ones":                   {10, 1204, 1204},
		"the last shorter":             {10, 1204, 1},
		"more than a message's number": {150, 200, 200},
		"more than a message's bytes":  {60, 1204, 700},
		"half a message's bytes":       {5, longDatagram, longDatagram},
	}
	onEachWire(t, func(t *testing.T, tr *transport, far *net.UDPConn) {
		for name, c := range cases {
			want := lot(append(equal(c.count-1, c.segment), c.last)...)
			if err := tr.sendRun(bytes.Join(want, nil), c.segment); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			wantArrived(t, tr, far, want)
		}
	})
}

func TestTransportSendsEach(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	mixed := make([]int, 100)
	for i := range mixed {
		mixed[i] = 1 + random.IntN(1200)
	}
	cases := map[string][]int{
		"none": {}, "one": {900}, "equal ones": equal(150, 300), "mixed": mixed,
		"falling and rising": {300, 200, 100, 100, 200, 300},
		"an empty one":       {10, 10, 0, 10, 0, 0, 10},
		"long ones":          {longDatagram, longDatagram, longDatagram, longest, 1},
	}
	onEachWire(t, func(t *testing.T, tr *transport, far *net.UDPConn) {
		for name, sizes := range cases {
			want := lot(sizes...)
			if n, err := tr.sendEach(want); n != len(want) || err != nil {
				t.Errorf("%s: %d of %d taken, %v", name, n, len(want), err)
			}
			wantArrived(t, tr, far, want)
		}
	})
}

func TestTransportSaysWhichIsTooLong(t *testing.T) {
	onEachWire(t, func(t *testing.T, tr *transport, far *net.UDPConn) {
		want := lot(10, 10, 20, 65536, 30)
		n, err := tr.sendEach(want)
		if n != 3 || err == nil {
			t.Errorf("%d taken, %v; want 3 and that the next is too long", n, err)
		}
		wantArrived(t, tr, far, want[:3])
		if err := tr.sendRun(make([]byte, 3*65536), 65536); err == nil {
			t.Error("a run of what is too long goes")
		}
		wantArrived(t, tr, far, nil)
	})
}

func TestTransportSendersShareIt(t *testing.T) {
	const senders, runs, segments = 4, 5, 6
	onEachWire(t, func(t *testing.T, tr *transport, far *net.UDPConn) {
		var group sync.WaitGroup
		for s := range senders {
			group.Go(func() {
				for r := range runs {
					var run []byte
					for i := range segments {
						run = append(run, byte(s), byte(r*segments+i), 0, 0)
					}
					if err := tr.sendRun(run, 4); err != nil {
						t.Errorf("sender %d: %v", s, err)
					}
				}
			})
		}
		group.Wait()
		var next [senders]byte
		b := make([]byte, 16)
		for range senders * runs * segments {
			n, err := far.Read(b)
			must(t, err)
			if n != 4 || b[0] >= senders || b[1] != next[b[0]] {
				t.Fatalf("%x came, want the next of the sender's: %v", b[:n], next)
			}
			next[b[0]]++
		}
	})
}

// collector is an intake that keeps what it gets.
type collector struct {
	room     []byte
	got      [][]byte
	segments []int
	waits    chan struct{} // told when there is nothing to read
	inside   int
}

func newCollector(room int) *collector {
	return &collector{room: make([]byte, room), waits: make(chan struct{}, 100)}
}

func (c *collector) begin() []byte {
	c.inside++
	clear(c.room)
	return c.room
}

func (c *collector) end(n, segment int, err error) bool {
	c.inside--
	switch {
	case err == nil:
		in := cargo{run: bytes.Clone(c.room[:n]), segment: segment}
		for i := range in.count() {
			c.got = append(c.got, in.at(i))
		}
		c.segments = append(c.segments, segment)
	case errors.Is(err, syscall.EAGAIN):
		c.waits <- struct{}{}
	}
	return false
}

// wantReceived receives until that many are there and compares.
func wantReceived(t *testing.T, tr *transport, c *collector, want [][]byte) {
	t.Helper()
	for len(c.got) < len(want) {
		if err := tr.receive(c); err != nil {
			t.Fatalf("receive: %v, after %d datagrams of %d", err, len(c.got), len(want))
		}
	}
	if c.inside != 0 {
		t.Fatalf("begin without end, %d times", c.inside)
	}
	for i, w := range want {
		if !bytes.Equal(c.got[i], w) {
			t.Fatalf("datagram %d has %d bytes %.9x, want %d bytes %.9x", i, len(c.got[i]), c.got[i], len(w), w)
		}
	}
	if len(c.got) > len(want) {
		t.Fatalf("%d datagrams, want %d", len(c.got), len(want))
	}
}

func TestTransportReceives(t *testing.T) {
	onEachWire(t, func(t *testing.T, tr *transport, far *net.UDPConn) {
		want := lot(1200, 1200, 3, 0, 1200, longest, 17)
		for _, b := range want {
			_, err := far.WriteToUDPAddrPort(b, tr.local)
			must(t, err)
		}
		c := newCollector(maxDatagram)
		wantReceived(t, tr, c, want)
		for i, segment := range c.segments {
			if segment != 0 {
				t.Errorf("datagram %d came alone, and as a run of %d", i, segment)
			}
		}
	})
}

func TestTransportDropsWhatIsCut(t *testing.T) {
	onEachWire(t, func(t *testing.T, tr *transport, far *net.UDPConn) {
		sent := lot(100, 101, 5000, 3)
		for _, b := range sent {
			_, err := far.WriteToUDPAddrPort(b, tr.local)
			must(t, err)
		}
		wantReceived(t, tr, newCollector(100), [][]byte{sent[0], sent[3]})
		if n := cutBy(tr); n != 2 {
			t.Errorf("%d cut datagrams were counted, want 2", n)
		}
	})
}

func TestTransportReceiveEnds(t *testing.T) {
	onEachWire(t, func(t *testing.T, tr *transport, far *net.UDPConn) {
		c := newCollector(maxDatagram)
		must(t, tr.setReadDeadline(time.Unix(1, 0)))
		if err := tr.receive(c); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %v", err)
		}
		must(t, tr.setReadDeadline(time.Time{}))
		_, err := far.WriteToUDPAddrPort([]byte("now"), tr.local)
		must(t, err)
		wantReceived(t, tr, c, [][]byte{[]byte("now")})

		ended := make(chan error)
		go func() { ended <- tr.receive(c) }()
		if _, plain := tr.wire.(*plainWire); !plain {
			<-c.waits
		}
		tr.close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed while it waits: %v", err)
		}
		if err := tr.receive(c); !errors.Is(err, net.ErrClosed) {
			t.Errorf("receive after the close: %v", err)
		}
		if err := tr.sendRun(make([]byte, 20), 10); !errors.Is(err, net.ErrClosed) {
			t.Errorf("sendRun after the close: %v", err)
		}
		if n, err := tr.sendEach(lot(1, 2)); n != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("sendEach after the close: %d, %v", n, err)
		}
	})
}

func TestTransportTracesEachDatagram(t *testing.T) {
	onEachWire(t, func(t *testing.T, plainly *transport, far *net.UDPConn) {
		var file bytes.Buffer
		trace, err := NewTrace(&file)
		must(t, err)
		tr := openTo(t, far, trace)
		must(t, tr.sendRun(make([]byte, 250), 100))
		_, err = tr.sendEach(lot(10, 20))
		must(t, err)
		_, err = far.WriteToUDPAddrPort(make([]byte, 33), tr.local)
		must(t, err)
		must(t, tr.receive(newCollector(maxDatagram)))

		r, err := pcapgo.NewNgReader(&file, pcapgo.DefaultNgReaderOptions)
		must(t, err)
		headers := ipv4Header + udpHeader
		if addrOf(far).Addr().Is6() {
			headers = ipv6Header + udpHeader
		}
		for i, want := range []int{100, 100, 50, 10, 20, 33} {
			data, _, err := r.ReadPacketData()
			if err != nil || len(data)-headers != want {
				t.Errorf("packet %d of the trace has %d bytes (%v), want %d", i, len(data)-headers, err, want)
			}
		}
		if _, _, err := r.ReadPacketData(); err == nil {
			t.Error("the trace has more packets")
		}
	})
}

func TestSocketBuffersAreSettings(t *testing.T) {
	for _, c := range []struct{ read, write, wantRead, wantWrite int }{
		{0, 0, defaultReadBuffer, defaultWriteBuffer},
		{100000, 200000, 100000, 200000},
		{-1, -1, -1, -1},
	} {
		s, err := Config{URL: "turn:192.0.2.1", ReadBuffer: c.read, WriteBuffer: c.write}.check()
		if err != nil || s.ReadBuffer != c.wantRead || s.WriteBuffer != c.wantWrite {
			t.Errorf("%+v: %d, %d, %v", c, s.ReadBuffer, s.WriteBuffer, err)
		}
	}
}

func TestCargo(t *testing.T) {
	for _, c := range []struct {
		cargo cargo
		want  []int
	}{
		{cargo{run: make([]byte, 10)}, []int{10}},
		{cargo{run: make([]byte, 10), segment: 20}, []int{10}},
		{cargo{run: make([]byte, 10), segment: 10}, []int{10}},
		{cargo{run: make([]byte, 10), segment: 5}, []int{5, 5}},
		{cargo{run: make([]byte, 10), segment: 4}, []int{4, 4, 2}},
		{cargo{run: nil, segment: 4}, []int{0}},
		{cargo{each: [][]byte{}}, nil},
		{cargo{each: lot(3, 0, 4)}, []int{3, 0, 4}},
	} {
		var got []int
		for i := range c.cargo.count() {
			got = append(got, len(c.cargo.at(i)))
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%d bytes, segment %d: %v, want %v", len(c.cargo.run), c.cargo.segment, got, c.want)
		}
	}
}
