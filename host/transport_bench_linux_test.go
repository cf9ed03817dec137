package host

import (
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkTransport sends to a socket that coalesces and is never read: what
// does not fit it is dropped, after all the work of sending. The figure is the
// process's own time (user and system) for each datagram.
func BenchmarkTransport(b *testing.B) {
	run := make([]byte, 54*1204)
	same, mixed := lot(equal(54, 1204)...), lot(equal(54, 1204)...)
	for i := range mixed {
		mixed[i] = mixed[i][:200+i*593%1000]
	}
	for _, c := range []struct {
		name    string
		packets int
		prepare func(w *offloadWire)
		send    func(t *transport) error
	}{
		{"run", 54, nil, func(t *transport) error { return t.sendRun(run, 1204) }},
		{"run-without-offload", 54, withoutRuns, func(t *transport) error { return t.sendRun(run, 1204) }},
		{"each-equal", 54, nil, func(t *transport) error { _, err := t.sendEach(same); return err }},
		{"each-mixed", 54, nil, func(t *transport) error { _, err := t.sendEach(mixed); return err }},
		{"each-mixed-without-offload", 54, withoutRuns, func(t *transport) error { _, err := t.sendEach(mixed); return err }},
		{"one", 1, nil, func(t *transport) error { return t.send(run[:1204]) }},
		{"one-as-run", 1, nil, func(t *transport) error { return t.sendRun(run[:1204], 1204) }},
		{"raw-sendmsg", 54, nil, rawRun(run, 1204)},
	} {
		b.Run(c.name, func(b *testing.B) {
			tr := toNowhere(b)
			if c.prepare != nil {
				c.prepare(tr.wire.(*offloadWire))
			}
			from := processTime()
			for b.Loop() {
				if err := c.send(tr); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(processTime()-from)/float64(b.N*c.packets), "cpu-ns/packet")
		})
	}
}

func withoutRuns(w *offloadWire) { w.runs.Store(false) }

// rawRun is the limit: one sendmsg, made ready once.
func rawRun(run []byte, segment int) func(t *transport) error {
	var tr train
	tr.messages, tr.pieces = make([]mmsghdr, 0, 1), make([]unix.Iovec, 0, 1)
	tr.controls = make([]segmentControl, 1)
	tr.piece(run)
	tr.couple(tr.pieces, len(run)/segment, segment)
	return func(t *transport) error {
		raw, err := t.sock.SyscallConn()
		if err != nil {
			return err
		}
		return raw.Write(func(fd uintptr) bool {
			_, errno := sendmmsg(fd, tr.messages)
			return errno != unix.EAGAIN
		})
	}
}

func toNowhere(b *testing.B) *transport {
	far, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { far.Close() })
	newWire(far, new(atomic.Uint64)) // it coalesces now
	tr, err := openTransport(b.Context(), 0, netip.AddrPort{}, addrOf(far), &settings{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(tr.close)
	return tr
}

func processTime() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}
