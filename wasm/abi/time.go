package abi

import (
	"math"
	"time"
)

// maxMS is the latest instant and the longest time that crosses the boundary:
// about 285 years.
const maxMS = 9e12

// Duration turns milliseconds into a duration. ok is false for what is no time:
// NaN, infinite, negative, or beyond 9e12.
func Duration(ms float64) (d time.Duration, ok bool) {
	if !(ms >= 0 && ms <= maxMS) {
		return 0, false
	}
	return time.Duration(math.Round(ms * 1e6)), true
}

// MS turns a duration into milliseconds.
func MS(d time.Duration) float64 { return float64(d) / 1e6 }

// DeadlineMS is MS, rounded up where it must be: a host that calls turn_tick
// with exactly this number is at the deadline and not a nanosecond before it.
func DeadlineMS(at time.Duration) float64 {
	ms := MS(at)
	for {
		d, ok := Duration(ms)
		if !ok || d >= at {
			return ms
		}
		ms = math.Nextafter(ms, math.Inf(1))
	}
}
