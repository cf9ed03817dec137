package bridge

import (
	"time"

	"golang.org/x/time/rate"
)

// patience is for how many seconds a page may lose as much as it may send.
const patience = 10

// allowance is what a session may send one way.
type allowance struct {
	packets, bytes *rate.Limiter
	excess         *rate.Limiter // what is dropped is taken from here
}

func newAllowance(l Limits) *allowance {
	packets, bytes := rate.Limit(l.PacketsPerSecond), rate.Limit(l.BytesPerSecond)
	return &allowance{
		packets: rate.NewLimiter(packets, l.PacketsPerSecond),
		bytes:   rate.NewLimiter(bytes, max(l.BytesPerSecond, maxPacket)),
		excess:  rate.NewLimiter(packets, patience*l.PacketsPerSecond),
	}
}

// take: may a packet of n bytes pass?
func (a *allowance) take(n int) bool {
	return a.packets.Allow() && a.bytes.AllowN(time.Now(), n)
}

// flooded: a packet was dropped, and one too many.
func (a *allowance) flooded() bool { return !a.excess.Allow() }
