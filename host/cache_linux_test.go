package host

import (
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// leaveNoRoom lets this process make files, and write nothing into them, as a
// full disk does.
func leaveNoRoom(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ)
	must(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{}))
}

func TestCacheOnFullDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	wantWorks(t, cacheProcess(t, dir, "no room"))
	if entries, others := inCache(t, dir); len(entries)+len(others) != 0 {
		t.Errorf("it leaves %v and %v behind", entries, others)
	}
	wantWorks(t, cacheProcess(t, dir, ""))
	wantWorks(t, cacheProcess(t, dir, "no room")) // what is there can be read
}
