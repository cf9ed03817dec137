package host_test

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// modelServer is the simulation's server on a real socket. Peers are everywhere
// and echo.
type modelServer struct {
	conn *net.UDPConn

	mu    sync.Mutex
	model *turntest.Server
	start time.Time
}

func needModel(t *testing.T, cfg turntest.ServerConfig) *modelServer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &modelServer{conn: conn, start: time.Now()}
	cfg.Addr = s.Addr()
	cfg.Users = map[string]string{hosttest.Username: hosttest.Password}
	s.model = turntest.NewServer(cfg)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.serve()
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return s
}

func (s *modelServer) Addr() netip.AddrPort {
	return s.conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func (s *modelServer) serve() {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		s.handle(from, append([]byte(nil), buf[:n]...))
	}
}

func (s *modelServer) handle(from netip.AddrPort, datagram []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Since(s.start)
	s.model.Handle(now, s.Addr(), from, datagram)
	for d, ok := s.model.Poll(); ok; d, ok = s.model.Poll() {
		if d.From == s.Addr() {
			_, _ = s.conn.WriteToUDPAddrPort(d.Data, d.To)
		} else {
			s.model.Handle(now, d.From, d.To, d.Data) // the peer's echo
		}
	}
}

func (s *modelServer) held() []turntest.Holding {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.model.Held()
}

var farPeer = netip.MustParseAddrPort("192.0.2.77:7000")

func mobileConfig(server netip.AddrPort) host.Config {
	cfg := quick(server)
	cfg.Mobility = true
	return cfg
}

// RFC 8016: the relayed address, permissions and channels survive a change of
// the local address.
func TestL09RebindMovesTheAllocation(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := needModel(t, turntest.ServerConfig{Mobility: true})
		c := dial(t, rt, mobileConfig(server.Addr()))
		if err := c.BindChannel(soon(t), farPeer); err != nil {
			t.Fatalf("BindChannel: %v", err)
		}
		for range 3 {
			relayed, local := c.Relayed(), c.Local()
			if err := c.Rebind(soon(t)); err != nil {
				t.Fatalf("Rebind: %v", err)
			}
			if c.Relayed() != relayed || c.Local() == local {
				t.Errorf("Relayed is %v, it was %v; Local is %v, it was %v", c.Relayed(), relayed, c.Local(), local)
			}
			wantEcho(t, c, farPeer, "after the move")
			held := server.held()
			if len(held) != 1 || held[0].Client != c.Local() || len(held[0].Channels) != 1 {
				t.Errorf("the server holds %+v, want one allocation for %v with a channel", held, c.Local())
			}
		}
		wantClosed(t, c, time.Second, client.Released)
		if held := server.held(); len(held) != 0 {
			t.Errorf("the server holds %+v", held)
		}
	})
}

// The servers' ways to say no: no ticket, 405 to the Allocate, a ticket that is
// refused.
func TestL09RebindWithoutMobility(t *testing.T) {
	for name, cfg := range map[string]turntest.ServerConfig{
		"not known": {}, "forbidden": {ForbidMobility: true}, "refused": {Mobility: true},
	} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, rt *host.Runtime) {
				server := needModel(t, cfg)
				c := dial(t, rt, mobileConfig(server.Addr()))
				if err := c.BindChannel(soon(t), farPeer); err != nil {
					t.Fatalf("BindChannel: %v", err)
				}
				first := c.Relayed()
				if name == "refused" {
					server.arm(turntest.MethodRefresh, turntest.Refuse400)
				}
				var moved *host.MovedError
				if err := c.Rebind(soon(t)); !errors.As(err, &moved) {
					t.Fatalf("Rebind: %v, want a *MovedError", err)
				}
				if moved.Relayed != c.Relayed() || c.Relayed() == first {
					t.Errorf("Relayed is %v, it was %v, the error says %v", c.Relayed(), first, moved.Relayed)
				}
				if err := c.BindChannel(soon(t), farPeer); err != nil {
					t.Fatalf("BindChannel again: %v", err)
				}
				wantEcho(t, c, farPeer, "on the new allocation")
				wantClosed(t, c, time.Second, client.Released)
				if held := server.held(); len(held) != 0 {
					t.Errorf("the server holds %+v", held)
				}
			})
		})
	}
}

func (s *modelServer) arm(m turntest.Method, f turntest.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.model.Arm(m, turntest.Healthy) // the move's nonce is wrong at first
	s.model.Arm(m, f)
}

// pion has no mobility and ignores the attribute.
func TestL09RebindOnPion(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server, echo := hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedEcho(t)
		c := dial(t, rt, mobileConfig(server.Addr()))
		var moved *host.MovedError
		if err := c.Rebind(soon(t)); !errors.As(err, &moved) {
			t.Fatalf("Rebind: %v, want a *MovedError", err)
		}
		wantEcho(t, c, echo.Addr(), "on the new allocation")
		wantHeld(t, server, 1)
		wantClosed(t, c, time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}

func TestRebindWithoutAnAllocation(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := needModel(t, turntest.ServerConfig{Mobility: true})
		c, err := rt.Open(soon(t), mobileConfig(server.Addr()))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Rebind(soon(t)); !errors.Is(err, client.ErrPhase) {
			t.Errorf("Rebind before Allocate: %v", err)
		}
		c.Close()
		if err := c.Rebind(soon(t)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Rebind after Close: %v", err)
		}
	})
}

// The local address goes away: the next datagram cannot be sent, and the
// allocation moves by itself.
func TestL09MovesWhenTheLocalAddressIsGone(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server := needModel(t, turntest.ServerConfig{Mobility: true})
		c := dial(t, rt, mobileConfig(server.Addr()))
		relayed, local := c.Relayed(), c.Local()
		host.FailSend(c, syscall.EADDRNOTAVAIL)
		for e := range c.Events() {
			if e.Kind == client.Rebound {
				break
			}
		}
		if c.Relayed() != relayed || c.Local() == local {
			t.Errorf("Relayed is %v, it was %v; Local is %v, it was %v", c.Relayed(), relayed, c.Local(), local)
		}
		wantEcho(t, c, farPeer, "after the move")
		wantClosed(t, c, time.Second, client.Released)
	})
}

// coturn answers 405 unless it is told to let allocations move.
func TestL09RebindOnCoturn(t *testing.T) {
	for name, flags := range map[string][]string{"moves": {"--mobility"}, "forbidden": nil} {
		t.Run(name, func(t *testing.T) {
			engines(t, func(t *testing.T, rt *host.Runtime) {
				server, echo := hosttest.NeedCoturn(t, flags...), hosttest.NeedEcho(t)
				c := dial(t, rt, mobileConfig(server.Addr()))
				if err := c.BindChannel(soon(t), echo.Addr()); err != nil {
					t.Fatalf("BindChannel: %v", err)
				}
				relayed := c.Relayed()
				var moved *host.MovedError
				err := c.Rebind(soon(t))
				if name == "moves" && (err != nil || c.Relayed() != relayed) || name == "forbidden" && !errors.As(err, &moved) {
					t.Fatalf("Rebind: %v; Relayed is %v, it was %v", err, c.Relayed(), relayed)
				}
				wantEcho(t, c, echo.Addr(), "after the Rebind")
				wantClosed(t, c, 2*time.Second, client.Released)
				wantHeld(t, server, 0)
			})
		})
	}
}

// A move over TCP. coturn 4.6 answers bytes that are no STUN, on which the new
// stream ends: then there is a new allocation on a third one.
func TestL09RebindOverTCP(t *testing.T) {
	engines(t, func(t *testing.T, rt *host.Runtime) {
		server, echo := hosttest.NeedCoturn(t, "--mobility"), hosttest.NeedEcho(t)
		cfg := mobileConfig(server.Addr())
		cfg.URL += "?transport=tcp"
		c := dial(t, rt, cfg)
		if err := c.BindChannel(soon(t), echo.Addr()); err != nil {
			t.Fatalf("BindChannel: %v", err)
		}
		relayed, local := c.Relayed(), c.Local()
		var moved *host.MovedError
		if err := c.Rebind(soon(t)); err != nil && !errors.As(err, &moved) || err == nil && c.Relayed() != relayed {
			t.Fatalf("Rebind: %v; Relayed is %v, it was %v", err, c.Relayed(), relayed)
		}
		if c.Local() == local {
			t.Error("it is on the same local port")
		}
		wantEcho(t, c, echo.Addr(), "after the Rebind")
		wantClosed(t, c, 2*time.Second, client.Released)
		wantHeld(t, server, 0)
	})
}
