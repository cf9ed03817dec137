package host

import (
	"net"
	"testing"

	"github.com/turnwasm/turnwasm/host/hosttest"
)

// However often a stream ends before its Allocate is answered, the sockets of
// before are closed.
func TestT02FailedAllocatesLeaveNoStreams(t *testing.T) {
	for _, e := range []Engine{Native, Wasm} {
		t.Run(e.String(), func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
					conn.Close()
				}
			}()
			rt, err := New(t.Context(), WithEngine(e))
			if err != nil {
				t.Fatal(err)
			}
			defer rt.Close()
			c, err := rt.Open(t.Context(), Config{
				URL: "turn:" + l.Addr().String() + "?transport=tcp", Username: hosttest.Username, Password: hosttest.Password,
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 8 {
				if err := c.Allocate(t.Context()); err == nil {
					t.Fatal("there is an allocation")
				}
				c.driver.mu.Lock()
				n := len(c.flows)
				c.driver.mu.Unlock()
				if n > 2 {
					t.Fatalf("after %d Allocates there are %d sockets", i+1, n)
				}
			}
		})
	}
}
