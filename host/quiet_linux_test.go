package host

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func quietTo(t *testing.T, far *net.UDPConn) *quietSocket {
	t.Helper()
	sock, err := net.DialUDP("udp", nil, far.LocalAddr().(*net.UDPAddr))
	must(t, err)
	q, err := quieten(sock)
	must(t, err)
	must(t, sock.Close())
	t.Cleanup(func() { _ = q.Close() })
	return q
}

// A writer that finds the socket's buffer full tries again, until it fits.
func TestQuietSocketWaitsForRoom(t *testing.T) {
	q := quietTo(t, listen(t, "127.0.0.1"))
	tries := 0
	must(t, q.Write(func(uintptr) bool { tries++; return tries == 3 }))
	if tries != 3 {
		t.Errorf("%d tries, want 3", tries)
	}
}

// What ends a writer that waits: a deadline, and the close.
func TestQuietSocketWriterIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(q *quietSocket) error
		want error
	}{
		"deadline": {func(q *quietSocket) error { return q.SetWriteDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		"close":    {(*quietSocket).Close, net.ErrClosed},
	} {
		q := quietTo(t, listen(t, "127.0.0.1"))
		waits, ended := make(chan struct{}, 1), make(chan error)
		go func() {
			ended <- q.Write(func(uintptr) bool {
				select {
				case waits <- struct{}{}:
				default:
				}
				return false
			})
		}()
		<-waits
		must(t, c.end(q))
		if err := <-ended; !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// The poller is told of arrivals, of each one, and of nothing that leaves.
func TestQuietSocketHearsOfArrivalsAlone(t *testing.T) {
	far := listen(t, "127.0.0.1")
	q := quietTo(t, far)
	var at unix.Sockaddr
	must(t, q.Control(func(fd uintptr) { at, _ = unix.Getsockname(int(fd)) }))
	to := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: at.(*unix.SockaddrInet4).Port}
	must(t, q.SetReadDeadline(time.Now().Add(20*time.Second)))
	b := make([]byte, 10)
	for i := range 100 {
		must(t, q.Write(func(fd uintptr) bool { _, err := unix.Write(int(fd), []byte("x")); return err == nil }))
		_, err := far.Read(b) // it has left the socket's buffer
		must(t, err)
		if n := news(t, q); n != 0 {
			t.Fatalf("the poller is told of what left: %d events", n)
		}
		waits, ended := make(chan struct{}, 100), make(chan error)
		go func() {
			ended <- q.Read(func(fd uintptr) bool {
				n, err := unix.Read(int(fd), b)
				waits <- struct{}{}
				return err == nil && n == 1 && b[0] == byte(i)
			})
		}()
		<-waits // it has found nothing, and waits
		_, err = far.WriteToUDP([]byte{byte(i)}, to)
		must(t, err)
		must(t, <-ended)
		news(t, q)
	}
}

// news takes what the socket's epoll instance has to tell.
func news(t *testing.T, q *quietSocket) (n int) {
	t.Helper()
	var events [4]unix.EpollEvent
	var err error
	must(t, q.inside.Control(func(fd uintptr) { n, err = unix.EpollWait(int(fd), events[:], 0) }))
	must(t, err)
	return n
}

// A socket that cannot be taken over is left as it is.
func TestQuietSocketRefuses(t *testing.T) {
	sock := listen(t, "127.0.0.1")
	sock.Close()
	if _, err := quieten(sock); err == nil {
		t.Error("a closed socket was taken over")
	}
}
