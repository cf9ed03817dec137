//go:build !linux

package host

import (
	"net"
	"sync/atomic"
)

// quiet leaves the socket as it is: see quiet_linux.go.
func quiet(sock *net.UDPConn) socket { return sock }

func newWire(sock socket, cut *atomic.Uint64) wire { return &plainWire{sock: sock, cut: cut} }
