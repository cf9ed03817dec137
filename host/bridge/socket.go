package bridge

import (
	"errors"
	"sync"
	"syscall"
)

// buffers are for datagrams that have arrived: a session that waits holds none.
var buffers = sync.Pool{New: func() any { return new([maxPacket]byte) }}

// wsaConnReset is how Windows reports a port unreachable.
const wsaConnReset = syscall.Errno(10054)

// isPathError: the path said that the server cannot be reached.
func isPathError(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EHOSTUNREACH) ||
		errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, wsaConnReset)
}
