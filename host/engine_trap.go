package host

import (
	"errors"
	"fmt"
	"strings"
)

// errShut: the engine has given its memory back.
var errShut = errors.New("turn: the engine is shut")

// trapError says that an instance died, in which export, and what it wrote to
// its standard error last.
type trapError struct {
	export string
	cause  error
	output string
}

func (e *trapError) Error() string {
	s := fmt.Sprintf("turn: the instance died in %s: %v", e.export, e.cause)
	if first, _, _ := strings.Cut(e.output, "\n"); first != "" {
		s += ": " + first
	}
	return s
}

func (e *trapError) Unwrap() error { return e.cause }

// tail keeps the last bytes that were written to it. Go's message of a fatal
// fault goes to the standard error and nowhere else.
type tail struct {
	buf  [4096]byte
	size int
}

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if n >= len(t.buf) {
		p = p[n-len(t.buf):]
	}
	keep := min(t.size, len(t.buf)-len(p))
	copy(t.buf[:], t.buf[t.size-keep:t.size])
	t.size = keep + copy(t.buf[keep:], p)
	return n, nil
}

func (t *tail) String() string { return string(t.buf[:t.size]) }
