package host

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// looksAt is a blocking file descriptor of a socket to the far one.
func looksAt(t *testing.T, to *net.UDPAddr) (fd uintptr, local *net.UDPAddr) {
	t.Helper()
	sock, err := net.DialUDP("udp", nil, to)
	must(t, err)
	t.Cleanup(func() { _ = sock.Close() })
	raw, err := sock.SyscallConn()
	must(t, err)
	must(t, raw.Control(func(n uintptr) { fd = n }))
	return fd, sock.LocalAddr().(*net.UDPAddr)
}

// always has the tests look even where there is one processor.
func always(t *testing.T) {
	could := canLook
	canLook = true
	t.Cleanup(func() { canLook = could })
}

// Who looks in vain looks less and less often; once it was worth while it looks
// again each time.
func TestBusyPollRests(t *testing.T) {
	always(t)
	far := listen(t, "127.0.0.1")
	fd, local := looksAt(t, far.LocalAddr().(*net.UDPAddr))
	var p busyPoll
	for pause := 1; pause < longestRest; pause = 2*pause + 1 {
		if p.awaits(fd) {
			t.Fatal("something has come from nobody")
		}
		for left := pause; left > 0; left-- {
			if p.rest != left {
				t.Fatalf("%d waits go to sleep at once, want %d", p.rest, left)
			}
			p.awaits(fd)
		}
	}
	p.learn(false)
	if p.learn(false); p.rest != longestRest {
		t.Errorf("at most %d waits go to sleep at once, want %d", p.rest, longestRest)
	}

	_, err := far.WriteToUDP([]byte("x"), local)
	must(t, err)
	for p.rest = 0; !p.awaits(fd); p.rest = 0 {
	}
	if p.rest != 0 || p.pause != 0 {
		t.Errorf("after it was worth while %d waits go to sleep, then %d", p.rest, p.pause)
	}
}

// What is looked at is still there for the receive: a datagram, and an error.
func TestBusyPollTakesNothing(t *testing.T) {
	always(t)
	far := listen(t, "127.0.0.1")
	fd, _ := looksAt(t, far.LocalAddr().(*net.UDPAddr))
	must(t, far.Close())
	_, err := unix.Write(int(fd), []byte("to nobody"))
	must(t, err)
	var p busyPoll
	for !p.awaits(fd) {
		p.rest = 0
	}
	if _, err := unix.Read(int(fd), make([]byte, 10)); err != unix.ECONNREFUSED {
		t.Errorf("the receive says %v, want that the path refuses", err)
	}
}

// One reader of the process looks at a time.
func TestBusyPollIsAlone(t *testing.T) {
	always(t)
	looking.Store(true)
	defer looking.Store(false)
	var p busyPoll
	if p.awaits(0) || p.pause != 0 {
		t.Error("it looks while another does")
	}
}
