package host

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func inUse(t *testing.T, far *net.UDPConn) (s *socketInUse, at *net.UDPAddr) {
	t.Helper()
	sock, err := net.DialUDP("udp", nil, far.LocalAddr().(*net.UDPAddr))
	must(t, err)
	at = sock.LocalAddr().(*net.UDPAddr)
	s, err = newSocketInUse(sock)
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s, at
}

func (s *socketInUse) isQuiet() bool {
	_, is := (*s.now.Load()).(*quietSocket)
	return is
}

func say(t *testing.T, s *socketInUse) {
	t.Helper()
	must(t, s.Write(func(fd uintptr) bool { _, err := unix.Write(int(fd), []byte("x")); return err == nil }))
}

// hear reads one datagram, and tells when it has found none at first.
func hear(s *socketInUse, waits chan<- struct{}) (got string, err error) {
	b := make([]byte, 100)
	err = s.Read(func(fd uintptr) bool {
		n, err := unix.Read(int(fd), b)
		if err != nil {
			select {
			case waits <- struct{}{}:
			default:
			}
			return false
		}
		got = string(b[:n])
		return true
	})
	return got, err
}

// A socket that only sends falls quiet, whoever waits at it gets what comes
// then, and the port stays.
func TestSocketFallsQuiet(t *testing.T) {
	far := listen(t, "127.0.0.1")
	s, at := inUse(t, far)
	heard, waits := make(chan string), make(chan struct{}, 1)
	go func() {
		got, err := hear(s, waits)
		heard <- got
		if err != nil {
			t.Errorf("the reader that waited: %v", err)
		}
	}()
	<-waits
	for range tooLoud {
		if s.isQuiet() {
			t.Fatal("it fell quiet too early")
		}
		say(t, s)
	}
	if !s.isQuiet() {
		t.Fatal("it did not fall quiet")
	}
	_, err := far.WriteToUDP([]byte("for you"), at)
	must(t, err)
	if got := <-heard; got != "for you" {
		t.Errorf("heard %q", got)
	}
	say(t, s)
	must(t, s.Close())
	if _, err := hear(s, waits); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the close: %v", err)
	}
}

// One that is answered does not.
func TestSocketThatIsAnsweredStaysAwake(t *testing.T) {
	far := listen(t, "127.0.0.1")
	s, at := inUse(t, far)
	for range 5 * tooLoud {
		say(t, s)
		say(t, s)
		_, err := far.WriteToUDP([]byte("yes"), at)
		must(t, err)
		_, err = hear(s, nil)
		must(t, err)
	}
	if s.isQuiet() {
		t.Error("it fell quiet")
	}
}

// The deadlines go with it.
func TestSocketKeepsItsDeadlines(t *testing.T) {
	s, _ := inUse(t, listen(t, "127.0.0.1"))
	must(t, s.SetReadDeadline(time.Unix(1, 0)))
	for range tooLoud {
		say(t, s)
	}
	if _, err := hear(s, nil); !errors.Is(err, os.ErrDeadlineExceeded) || !s.isQuiet() {
		t.Errorf("a read after its deadline: %v; quiet: %v", err, s.isQuiet())
	}
	must(t, s.SetWriteDeadline(time.Unix(1, 0)))
	if err := s.Write(func(uintptr) bool { return true }); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a write after its deadline: %v", err)
	}
}
