package host

import (
	"errors"
	"net"
	"testing"
)

// A Dial that waits for a server's TLS, and would for 15 s, ends with the
// Runtime, which waits for it.
func TestCloseEndsDials(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	rt, err := New(t.Context(), WithEngine(Native))
	if err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	go func() {
		_, err := rt.Dial(t.Context(), Config{URL: "turns:" + mute.Addr().String(), ServerName: "x.test", Username: "u", Password: "p"})
		result <- err
	}()
	conn, err := mute.Accept() // it is under way
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := rt.Close(); err != nil {
		t.Error(err)
	}
	if err := <-result; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Dial: %v", err)
	}
	if _, err := rt.Dial(t.Context(), Config{URL: "turn:127.0.0.1", Username: "u", Password: "p"}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Dial afterwards: %v", err)
	}
}
