package main

import (
	"os"
	"runtime"
	"runtime/pprof"
	"time"

	"golang.org/x/sys/unix"
)

// usage is what this process has used so far.
type usage struct {
	profile *os.File // nil: none is wanted
	at      time.Time
	cpu     time.Duration
	mallocs uint64
}

// begin starts a measured window, end says what it has used. Counting the
// heap's objects stops the world, so it stays outside.
func (s *spec) begin() (u usage, err error) {
	if s.Profile != "" { // the profiler costs something: for looking, not for figures
		if u.profile, err = os.Create(s.Profile); err != nil {
			return u, err
		}
		if err = pprof.StartCPUProfile(u.profile); err != nil {
			return u, err
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.mallocs, u.at, u.cpu = m.Mallocs, time.Now(), cpuTime()
	return u, nil
}

func (u usage) end(t *told) {
	t.CPU, t.Wall = cpuTime()-u.cpu, time.Since(u.at)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Mallocs = m.Mallocs - u.mallocs
	if u.profile != nil {
		pprof.StopCPUProfile()
		u.profile.Close()
	}
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
