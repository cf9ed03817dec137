package hosttest

import (
	"net"
	"net/netip"
	"sync/atomic"
)

// Echo is a peer that sends back what it receives.
type Echo struct {
	conn   *net.UDPConn
	echoed atomic.Uint64
	done   chan struct{}
}

// StartEcho starts an echo peer on a free port; the zero Addr is 127.0.0.1.
func StartEcho(ip netip.Addr) (*Echo, error) {
	conn, err := listenLoopback(ip)
	if err != nil {
		return nil, err
	}
	e := &Echo{conn: conn, done: make(chan struct{})}
	go e.run()
	return e, nil
}

func (e *Echo) run() {
	defer close(e.done)
	buf := make([]byte, 65536)
	for {
		n, from, err := e.conn.ReadFromUDPAddrPort(buf)
		if refused(err) {
			continue // a relay that is gone
		}
		if err != nil {
			return
		}
		e.echoed.Add(1) // before who gets it asks
		if _, err := e.conn.WriteToUDPAddrPort(buf[:n], from); err != nil {
			e.echoed.Add(^uint64(0))
		}
	}
}

// Addr is the peer's address.
func (e *Echo) Addr() netip.AddrPort { return localAddr(e.conn) }

// Echoed is how many datagrams have gone back.
func (e *Echo) Echoed() uint64 { return e.echoed.Load() }

// Close stops the peer.
func (e *Echo) Close() error {
	err := e.conn.Close()
	<-e.done
	return err
}
