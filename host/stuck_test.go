package host_test

import (
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/host"
)

// Streams whose server reads nothing any more end side by side: the Runtime's
// Close takes no longer for many of them than for one.
func TestT02ManyStreamsThatAreFull(t *testing.T) {
	rt := newRuntime(t, host.Native, host.WithInstances(1))
	server := needStreamModel(t)
	var conns []*host.Conn
	for range 8 {
		cfg := server.config()
		cfg.Linger = 300 * time.Millisecond
		conns = append(conns, bound(t, rt, cfg))
	}
	server.setDeaf(true)
	for _, c := range conns {
		if err := c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		for err := error(nil); err == nil; {
			_, err = c.WriteToAddrPort(make([]byte, 1200), farPeer)
		}
	}
	start := time.Now()
	_ = rt.Close()
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("Close took %v", took)
	}
}
