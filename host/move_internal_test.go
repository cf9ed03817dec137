package host

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"
)

// FailSend is what happens when the system answers a send on c's socket with
// the error.
func FailSend(c *Conn, err error) {
	c.out.turn.Lock()
	c.driver.mu.Lock()
	t := c.flows[0]
	c.driver.mu.Unlock()
	_ = c.out.judge(err, t)
	c.endTurn()
}

func TestIsLocalGone(t *testing.T) {
	here, gone := netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("192.0.2.1:1")
	for _, tt := range []struct {
		err   error
		local netip.AddrPort
		want  bool
	}{
		{syscall.EADDRNOTAVAIL, here, true}, {syscall.ENETUNREACH, here, true}, {syscall.ENETDOWN, here, true},
		{syscall.EINVAL, here, false}, {syscall.EINVAL, gone, true},
		{syscall.ECONNREFUSED, gone, false}, {syscall.EHOSTUNREACH, gone, false}, {syscall.EMSGSIZE, gone, false},
	} {
		if got := isLocalGone(fmt.Errorf("write: %w", tt.err), tt.local); got != tt.want {
			t.Errorf("%v from %v: %v, want %v", tt.err, tt.local, got, tt.want)
		}
	}
	if isLocalGone(&earlierError{syscall.ENETUNREACH}, here) {
		t.Error("what a router said of an earlier datagram says nothing of the local address")
	}
}
