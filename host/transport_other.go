//go:build !linux

package host

import (
	"net"
	"sync/atomic"
)

func newWire(sock *net.UDPConn, cut *atomic.Uint64) (socket, wire) {
	return sock, &plainWire{sock: sock, cut: cut}
}
