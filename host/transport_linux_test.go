package host

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func init() {
	cutBy = func(t *transport) uint64 {
		if w, is := t.wire.(*offloadWire); is {
			return w.in.cut.Load()
		}
		return t.wire.(*plainWire).cut.Load()
	}
	longDatagram, longest = 40000, maxRunBytes
	wireKinds["without runs"] = func(t *transport) { t.wire.(*offloadWire).runs.Store(false) }
	wireKinds["runs are refused"] = func(t *transport) {
		t.wire.(*offloadWire).sendmmsg = refusingRuns(unix.EIO)
	}
	wireKinds["one message a call"] = func(t *transport) {
		t.wire.(*offloadWire).sendmmsg = func(fd uintptr, messages []mmsghdr) (int, syscall.Errno) {
			return sendmmsg(fd, messages[:1])
		}
	}
}

// refusingRuns is a kernel, or a device, that does not take runs.
func refusingRuns(errno syscall.Errno) sendmmsgFunc {
	return func(fd uintptr, messages []mmsghdr) (int, syscall.Errno) {
		n := slices.IndexFunc(messages, isRun)
		switch n {
		case 0:
			return -1, errno
		case -1:
			n = len(messages)
		}
		return sendmmsg(fd, messages[:n])
	}
}

func isRun(m mmsghdr) bool { return m.Control != nil }

// awaitPathError waits until the socket has an error to tell.
func awaitPathError(t *testing.T, tr *transport) {
	t.Helper()
	raw, err := tr.sock.SyscallConn()
	must(t, err)
	must(t, raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd)}}
		for fds[0].Revents&unix.POLLERR == 0 {
			if _, err := unix.Poll(fds, 20000); err != nil && !errors.Is(err, unix.EINTR) {
				t.Errorf("poll: %v", err)
				return
			}
		}
	}))
}

// TestTransportReportsThePath: the error of a closed port comes to whoever
// calls next, a receiver or a sender, and takes nothing with it.
func TestTransportReportsThePath(t *testing.T) {
	onEachWire(t, func(t *testing.T, tr *transport, far *net.UDPConn) {
		at := far.LocalAddr().(*net.UDPAddr)
		far.Close()
		must(t, tr.send([]byte("to nobody")))
		if err := tr.receive(newCollector(maxDatagram)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("receive: %v, want that it is refused", err)
		}
		must(t, tr.send([]byte("to nobody")))
		awaitPathError(t, tr)
		again, err := net.ListenUDP("udp", at)
		must(t, err)
		defer again.Close()
		must(t, again.SetReadDeadline(time.Now().Add(20*time.Second)))
		want := lot(50, 50, 50, 20)
		if err := tr.sendRun(bytes.Join(want, nil), 50); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("sendRun: %v, want that an earlier one was refused", err)
		}
		wantArrived(t, tr, again, want)
	})
}

// TestTransportSendsOnToNobody: every datagram is answered by an ICMP error, and
// each is handed to the kernel all the same.
func TestTransportSendsOnToNobody(t *testing.T) {
	onEachWire(t, func(t *testing.T, tr *transport, far *net.UDPConn) {
		far.Close()
		must(t, tr.send([]byte("to nobody")))
		awaitPathError(t, tr)
		want := lot(30, 40, 50, 60)
		if n, err := tr.sendEach(want); n != len(want) || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%d of %d were taken, %v", n, len(want), err)
		}
	})
}

// peer makes the far side a transport, too: connected to tr, on the same socket.
func peer(t *testing.T, tr *transport, far *net.UDPConn) *transport {
	t.Helper()
	raw, err := far.SyscallConn()
	must(t, err)
	var to unix.Sockaddr = &unix.SockaddrInet6{Port: int(tr.local.Port()), Addr: tr.local.Addr().As16()}
	if tr.local.Addr().Is4() {
		to = &unix.SockaddrInet4{Port: int(tr.local.Port()), Addr: tr.local.Addr().As4()}
	}
	must(t, raw.Control(func(fd uintptr) { err = unix.Connect(int(fd), to) }))
	must(t, err)
	return &transport{sock: far, local: tr.server, server: tr.local, wire: newWire(far, new(atomic.Uint64))}
}

// TestRunsArriveAsRuns: from a socket that cuts to one that coalesces, with what
// is no run in between.
func TestRunsArriveAsRuns(t *testing.T) {
	for _, ip := range loopbacks {
		t.Run(ip, func(t *testing.T) {
			far := listen(t, ip)
			tr := openTo(t, far, nil)
			from := peer(t, tr, far)
			first, second := lot(append(equal(53, 1204), 77)...), lot(equal(130, 300)...)
			alone := lot(500, 1200)
			must(t, from.sendRun(bytes.Join(first, nil), 1204))
			_, err := from.sendEach(alone)
			must(t, err)
			must(t, from.sendRun(bytes.Join(second, nil), 300))

			c := newCollector(maxDatagram)
			wantReceived(t, tr, c, slices.Concat(first, alone, second))
			if want := []int{1204, 0, 0, 300, 300, 300}; !slices.Equal(c.segments, want) {
				t.Errorf("the segments are %v, want %v: the kernel does not coalesce", c.segments, want)
			}
		})
	}
}

// TestRunsAreDroppedWhole: what is cut of a run is not handed on either.
func TestRunsAreDroppedWhole(t *testing.T) {
	far := listen(t, "127.0.0.1")
	tr := openTo(t, far, nil)
	from := peer(t, tr, far)
	must(t, from.sendRun(make([]byte, 10*1000), 1000))
	must(t, from.send([]byte("after it")))
	wantReceived(t, tr, newCollector(5000), [][]byte{[]byte("after it")})
	if n := cutBy(tr); n != 1 {
		t.Errorf("%d were counted, want 1", n)
	}
}

func TestRunsAreGivenUp(t *testing.T) {
	cases := map[string]struct {
		errno syscall.Errno
		still bool // runs are tried again the next time
	}{
		"the device has no checksums": {unix.EIO, false},
		"an unknown option":           {unix.ENOPROTOOPT, false},
		"not supported":               {unix.EOPNOTSUPP, false},
		"an argument":                 {unix.EINVAL, false},
		"longer than the path":        {unix.EMSGSIZE, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			far := listen(t, "127.0.0.1")
			tr := openTo(t, far, nil)
			w := tr.wire.(*offloadWire)
			w.sendmmsg = refusingRuns(c.errno)
			want := lot(100, 1, 7, 7, 7)
			n, err := tr.sendEach(want)
			if n != len(want) || err != nil {
				t.Errorf("%d of %d taken, %v", n, len(want), err)
			}
			wantArrived(t, tr, far, want)
			if got := w.runs.Load(); got != c.still {
				t.Errorf("runs are of use: %v, want %v", got, c.still)
			}
		})
	}
}

// TestLongSegmentsProveNothing: a segment that is longer than the path takes is
// refused with EINVAL, too.
func TestLongSegmentsProveNothing(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	must(t, err)
	for ip, headers := range map[string]int{"127.0.0.1": ipv4Header + udpHeader, "::1": ipv6Header + udpHeader} {
		w := openTo(t, listen(t, ip), nil).wire.(*offloadWire)
		room := w.pathRoom()
		if want := lo.MTU - headers; room > want || room < want-1 { // IPv4 ends at 65535
			t.Errorf("a payload of %d bytes fits the path to %s, want %d", room, ip, want)
		}
		if w.blame(unix.EINVAL, room+1); !w.runs.Load() {
			t.Errorf("%s: runs were given up for a segment that is too long", ip)
		}
		if w.blame(unix.EINVAL, room); w.runs.Load() {
			t.Errorf("%s: runs were not given up", ip)
		}
	}
}

// TestOffloadErrors: what the kernel says now and then.
func TestOffloadErrors(t *testing.T) {
	far := listen(t, "127.0.0.1")
	tr := openTo(t, far, nil)
	w := tr.wire.(*offloadWire)
	saying := func(times int, errno syscall.Errno) {
		w.sendmmsg = func(fd uintptr, messages []mmsghdr) (int, syscall.Errno) {
			if times--; times >= 0 {
				return -1, errno
			}
			return sendmmsg(fd, messages)
		}
	}
	want := lot(20, 20, 20, 10)
	for _, c := range []struct {
		times int
		errno syscall.Errno
		taken int
		err   error
	}{
		{3, unix.EINTR, 4, nil},
		{1, unix.ENOBUFS, 4, nil},
		{2, unix.ENOBUFS, 0, unix.ENOBUFS},
		{1, unix.EHOSTUNREACH, 4, unix.EHOSTUNREACH},
		{2, unix.ENETUNREACH, 0, unix.ENETUNREACH},
		{1, unix.EPERM, 0, unix.EPERM},
		{2, unix.EIO, 0, unix.EIO},
	} {
		saying(c.times, c.errno)
		n, err := tr.sendEach(want)
		if n != c.taken || !errors.Is(err, c.err) {
			t.Errorf("%v, %d times: %d taken, %v; want %d, %v", c.errno, c.times, n, err, c.taken, c.err)
		}
		wantArrived(t, tr, far, want[:n])
	}
}

// TestSenderWaitsForRoom: a full socket keeps the sender until it is closed.
func TestSenderWaitsForRoom(t *testing.T) {
	tr := openTo(t, listen(t, "127.0.0.1"), nil)
	full := make(chan struct{}, 1)
	tr.wire.(*offloadWire).sendmmsg = func(uintptr, []mmsghdr) (int, syscall.Errno) {
		select {
		case full <- struct{}{}:
		default:
		}
		return -1, unix.EAGAIN
	}
	ended := make(chan error)
	go func() { ended <- tr.sendRun(make([]byte, 100), 10) }()
	<-full
	tr.close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the sender's error is %v, want net.ErrClosed", err)
	}
}

// unpack reads what the kernel would send.
func unpack(t *testing.T, m *mmsghdr) (datagrams [][]byte) {
	t.Helper()
	var all []byte
	for _, piece := range unsafe.Slice(m.Iov, m.Iovlen) {
		all = append(all, unsafe.Slice(piece.Base, piece.Len)...)
	}
	if !isRun(*m) {
		return [][]byte{all}
	}
	control := (*segmentControl)(unsafe.Pointer(m.Control))
	if control.Level != unix.SOL_UDP || control.Type != unix.UDP_SEGMENT || int(control.Len) != unix.CmsgLen(2) {
		t.Fatalf("the control message is %+v", control)
	}
	size := int(binary.NativeEndian.Uint16(control.value[:]))
	for datagram := range slices.Chunk(all, size) {
		datagrams = append(datagrams, datagram)
	}
	if len(datagrams) > maxSegments || len(all) > maxRunBytes {
		t.Fatalf("a run of %d datagrams, %d bytes", len(datagrams), len(all))
	}
	return datagrams
}

// TestTrainsLoseNothing: whatever the cargo, however many messages a call takes
// and whatever it refuses, each datagram is taken once and in order.
func TestTrainsLoseNothing(t *testing.T) {
	tr := openTo(t, listen(t, "127.0.0.1"), nil)
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 0))
		w := tr.wire.(*offloadWire)
		w.runs.Store(true)
		var got [][]byte
		w.sendmmsg = func(_ uintptr, messages []mmsghdr) (int, syscall.Errno) {
			if len(messages) == 0 {
				t.Fatalf("seed %d: a call without messages", seed)
			}
			if m := messages[0]; isRun(m) && random.IntN(4) == 0 {
				return -1, []syscall.Errno{unix.EMSGSIZE, unix.EINVAL, unix.EIO}[random.IntN(3)]
			}
			n := 1 + random.IntN(len(messages))
			for i := range n {
				got = append(got, unpack(t, &messages[i])...)
			}
			return n, 0
		}
		c := randomCargo(random)
		n, err := tr.ship(c)
		if n != c.count() || err != nil || len(got) != n {
			t.Fatalf("seed %d: %d of %d taken, %d went, %v", seed, n, c.count(), len(got), err)
		}
		for i := range got {
			if !bytes.Equal(got[i], c.at(i)) {
				t.Fatalf("seed %d: datagram %d has %d bytes, want %d", seed, i, len(got[i]), len(c.at(i)))
			}
		}
	}
}

// randomCargo is a run, or pieces of which many have the size of the one before.
func randomCargo(random *rand.Rand) cargo {
	if random.IntN(2) == 0 {
		return cargo{run: numbered(random.IntN(1000), 1+random.IntN(200000)), segment: 400 + random.IntN(2000)}
	}
	sizes := make([]int, 1+random.IntN(400))
	for i := range sizes {
		sizes[i] = random.IntN(1500)
		if i > 0 && random.IntN(8) > 0 {
			sizes[i] = sizes[i-1]
		}
	}
	return cargo{each: lot(sizes...)}
}
