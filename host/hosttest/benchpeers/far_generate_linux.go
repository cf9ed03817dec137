package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// channelHeader is ChannelData's: number and length, two bytes each.
const channelHeader = 4

// generate sends the stream: bursts at fixed instants, whatever became of the
// ones before, and goodbye at its end.
func (f *far) generate() error {
	s := f.spec
	if err := tightTimer(); err != nil {
		return err
	}
	every := time.Second * time.Duration(s.Burst) / time.Duration(s.Rate)
	due := time.Now()
	end := due.Add(s.Warm + s.Measure)
	b := newBurst(f.server.channel, s)
	for ; due.Before(end); due = due.Add(every) {
		sleepUntil(due)
		if time.Since(due) > every {
			f.heard.Late++
		}
		b.fill(&f.heard.Sent)
		if err := b.send(f.fd); err != nil {
			return err
		}
	}
	return f.sayGoodbye()
}

// sayGoodbye tells the client that nothing more comes, for as long as it stays:
// the first word may be lost like any packet.
func (f *far) sayGoodbye() error {
	word := make([]byte, channelHeader+wordSize)
	putHeader(word, f.server.channel, wordSize)
	fill(word[channelHeader:], goodbye)
	for range 20 {
		f.out.put(0, word, 0)
		if err := f.out.send(f.fd, 1); err == unix.ECONNREFUSED {
			return nil
		}
		quiet, err := await(0, 10*time.Millisecond)
		if err != nil || quiet {
			return err // the parent wants something: the client is done
		}
	}
	return nil
}

// burst is the datagrams that leave together.
type burst struct {
	m       *mmsgs
	calls   int // messages in a call
	buf     []byte
	stride  int
	segment int
}

func newBurst(channel uint16, s *spec) *burst {
	size := s.Sizes[0]
	b := &burst{stride: channelHeader + size, calls: s.Burst}
	b.buf = make([]byte, b.stride*s.Burst)
	for at := 0; at < len(b.buf); at += b.stride {
		putHeader(b.buf[at:], channel, size)
	}
	if s.Offload {
		b.calls, b.segment = 1, b.stride
	}
	b.m = newMmsgs(b.calls)
	piece := len(b.buf) / b.calls
	for i := range b.calls {
		b.m.put(i, b.buf[i*piece:(i+1)*piece], b.segment)
	}
	return b
}

// fill writes the next payloads.
func (b *burst) fill(next *uint64) {
	for at := 0; at < len(b.buf); at += b.stride {
		fill(b.buf[at+channelHeader:at+b.stride], *next)
		*next++
	}
}

func (b *burst) send(fd int) error {
	err := b.m.send(fd, b.calls)
	if err == unix.ECONNREFUSED {
		return nil
	}
	return err
}

func putHeader(b []byte, channel uint16, n int) {
	b[0], b[1], b[2], b[3] = byte(channel>>8), byte(channel), byte(n>>8), byte(n)
}

// tightTimer makes this thread's timers exact: 50 us late is the default.
func tightTimer() error {
	return unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
}

// sleepUntil waits on a timer of the kernel's: Go's own are a millisecond late.
func sleepUntil(at time.Time) {
	d := time.Until(at)
	if d <= 0 {
		return
	}
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil)
}
