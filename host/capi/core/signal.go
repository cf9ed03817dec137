//go:build unix

package core

import "syscall"

// signal is a pipe that holds a byte while there is something: its end is a file
// descriptor that can be polled. It is its owner's lock that guards it.
type signal struct {
	read, write int
	up          bool
}

func newSignal() (*signal, error) {
	var ends [2]int
	if err := pipe(&ends); err != nil {
		return nil, err
	}
	return &signal{read: ends[0], write: ends[1]}, nil
}

// set raises it or takes it back.
func (s *signal) set(up bool) {
	if s == nil || s.up == up {
		return
	}
	s.up = up
	var b [1]byte
	if up {
		_, _ = syscall.Write(s.write, b[:])
	} else {
		_, _ = syscall.Read(s.read, b[:])
	}
}

func (s *signal) close() {
	if s != nil {
		_ = syscall.Close(s.read)
		_ = syscall.Close(s.write)
	}
}
