//go:build !linux

package host

import (
	"net"
	"sync/atomic"
)

func newWire(sock *net.UDPConn, cut *atomic.Uint64) wire { return &plainWire{sock: sock, cut: cut} }
