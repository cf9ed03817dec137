package main

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/turnwasm/turnwasm/client/turntest"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// simulated is turntest's server model on a socket. It deletes late, as coturn
// does, because the RFC lets it.
type simulated struct {
	sock  *net.UDPConn
	start time.Time
	done  chan struct{}

	mu    sync.Mutex
	model *turntest.Server
}

const deleteLate = 1500 * time.Millisecond

func startSimulated(flavour turntest.Flavour) (*simulated, error) {
	sock, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	s := &simulated{sock: sock, start: time.Now(), done: make(chan struct{})}
	s.model = turntest.NewServer(turntest.ServerConfig{
		Flavour: flavour, Addr: s.Addr(), Relay: s.Addr().Addr(), Realm: ht.Realm,
		Users: map[string]string{ht.Username: ht.Password}, DeleteLate: deleteLate,
	})
	go s.serve()
	return s, nil
}

func (s *simulated) serve() {
	defer close(s.done)
	buf := make([]byte, 65536)
	for {
		n, from, err := s.sock.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			s.handle(netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), buf[:n])
		}
	}
}

func (s *simulated) handle(from netip.AddrPort, datagram []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.model.Handle(time.Since(s.start), s.Addr(), from, datagram)
	for d, ok := s.model.Poll(); ok; d, ok = s.model.Poll() {
		s.sock.WriteToUDPAddrPort(d.Data, d.To)
	}
}

func (s *simulated) Name() string { return "simulated" }

func (s *simulated) Addr() netip.AddrPort { return s.sock.LocalAddr().(*net.UDPAddr).AddrPort() }

func (s *simulated) Held() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.model.Tick(time.Since(s.start))
	return s.model.Allocations(), nil
}

func (s *simulated) Close() error {
	err := s.sock.Close()
	<-s.done
	return err
}
