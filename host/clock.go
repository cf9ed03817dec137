package host

import (
	"math"
	"time"

	"github.com/turnwasm/turnwasm/wasm/abi"
)

// clock is the engines' time: milliseconds since the Runtime was made, by the
// monotonic clock.
type clock struct{ start time.Time }

func (c clock) now() float64 { return abi.MS(time.Since(c.start)) }

// at is the wall time of an instant of the engines'.
func (c clock) at(instant time.Duration) time.Time {
	if instant == 0 {
		return time.Time{}
	}
	return c.start.Add(instant)
}

// until is the wait from now to an instant in ms: never too short, for a tick
// that comes early does nothing and has to be repeated.
func (c clock) until(ms float64) time.Duration {
	left := ms*float64(time.Millisecond) - float64(time.Since(c.start))
	if left >= math.MaxInt64 {
		return math.MaxInt64
	}
	return max(0, time.Duration(math.Ceil(left/1000))*time.Microsecond)
}
