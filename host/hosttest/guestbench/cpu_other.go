//go:build !linux

package guestbench

import "time"

var started = time.Now()

// cpuTime is the time that passed.
func cpuTime() time.Duration { return time.Since(started) }
