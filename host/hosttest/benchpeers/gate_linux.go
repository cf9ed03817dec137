package main

import (
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// gate hands out numbers and bounds what is under way: the far side writes into
// a pipe how far it has got, and who would run a window ahead of that waits. So
// a buffer that runs over loses nobody's packets, whoever is faster, and it
// costs a read in some hundred packets, the same for every contestant.
type gate struct {
	pipe   int
	window uint64

	given, limit atomic.Uint64

	mu     sync.Mutex
	buf    [4096]byte
	acked  uint64
	waits  int // times that somebody had to wait
	stalls int // waits that gave up
}

// patience is how long the far side may take to say anything.
const patience = 500 * time.Millisecond

func newGate(pipe int, window uint64) (*gate, error) {
	if err := unix.SetNonblock(pipe, true); err != nil {
		return nil, err
	}
	g := &gate{pipe: pipe, window: window}
	g.limit.Store(window)
	return g, nil
}

// take answers the first of n numbers.
func (g *gate) take(n int) (first uint64, err error) {
	end := g.given.Add(uint64(n))
	if end > g.limit.Load() {
		err = g.wait(end)
	}
	return end - uint64(n), err
}

func (g *gate) wait(end uint64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for end > g.limit.Load() {
		told, err := g.hear()
		if err != nil {
			return err
		}
		if !told { // lost: the loss will show
			g.stalls++
			g.acked = end
		}
		g.limit.Store(g.acked + g.window)
	}
	return nil
}

// drain waits until the far side has everything.
func (g *gate) drain() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.acked < g.given.Load() {
		told, err := g.hear()
		if err != nil {
			return err
		}
		if !told {
			g.stalls++
			return nil
		}
		g.limit.Store(g.acked + g.window)
	}
	return nil
}

// hear takes what the far side has said, and waits for it if need be.
func (g *gate) hear() (told bool, err error) {
	for {
		n, err := unix.Read(g.pipe, g.buf[:])
		switch {
		case n >= 8:
			g.acked = binary.BigEndian.Uint64(g.buf[n-8:])
			return true, nil
		case err == nil:
			return false, errors.New("the far side is gone")
		case err == unix.EINTR:
		case err != unix.EAGAIN:
			return false, err
		default:
			g.waits++
			ready, err := await(g.pipe, patience)
			if err != nil || !ready {
				return false, err
			}
		}
	}
}

// await waits until a descriptor can be read.
func await(fd int, d time.Duration) (bool, error) {
	until := time.Now().Add(d)
	for {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, max(0, int(time.Until(until)/time.Millisecond)))
		if err != unix.EINTR {
			return n > 0, err
		}
	}
}
