package main

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// usage is what this process has used so far.
type usage struct {
	at      time.Time
	cpu     time.Duration
	mallocs uint64
}

// begin and end bound a window. Counting the heap's objects stops the world, so
// it stays outside.
func begin() usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{at: time.Now(), cpu: cpuTime(), mallocs: m.Mallocs}
}

// end says what the window has used.
func (u usage) end(t *told) {
	t.CPU, t.Wall = cpuTime()-u.cpu, time.Since(u.at)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Mallocs = m.Mallocs - u.mallocs
}

// cpuTime is user and system time of the process, all its threads.
func cpuTime() time.Duration {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		panic(err) // it has no way to fail
	}
	return time.Duration(unix.TimevalToNsec(r.Utime) + unix.TimevalToNsec(r.Stime))
}

// threadTime is the CPU time of the calling thread.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err) // it has no way to fail
	}
	return time.Duration(t.Nano())
}
