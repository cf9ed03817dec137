package guestbench

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is the processor time of the calling thread, which others on the
// machine do not add to.
func cpuTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
