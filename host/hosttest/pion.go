package hosttest

import (
	"net"
	"net/netip"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// PionOptions change a pion server; the zero value is the default.
type PionOptions struct {
	// Listen is the server's address: a free port of 127.0.0.1.
	Listen netip.AddrPort
	// Lifetime of allocations: 10 minutes.
	Lifetime time.Duration
	// Quota is the number of allocations that the server grants; 0 = no limit.
	Quota int
	// Deny are peers that get no permission.
	Deny []netip.Addr
	// Listeners are further ones: TCP, TLS, DTLS. They are closed with the server.
	Listeners []net.Listener
}

// Pion is a pion/turn server in this process.
type Pion struct {
	addr   netip.AddrPort
	server *turn.Server

	started chan struct{} // closed when server is set: its goroutines read it
}

var _ Server = (*Pion)(nil)

// StartPion starts a pion/turn server on loopback. It answers as soon as
// StartPion has returned.
func StartPion(o PionOptions) (*Pion, error) {
	if !o.Listen.IsValid() {
		o.Listen = netip.AddrPortFrom(loopback, 0)
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(o.Listen))
	if err != nil {
		return nil, err
	}
	p := &Pion{addr: localAddr(conn), started: make(chan struct{})}
	defer close(p.started)
	p.server, err = turn.NewServer(p.config(o, conn))
	if err != nil {
		conn.Close()
		return nil, err
	}
	return p, nil
}

func (p *Pion) config(o PionOptions, conn net.PacketConn) turn.ServerConfig {
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	ip := o.Listen.Addr()
	relay := &turn.RelayAddressGeneratorStatic{RelayAddress: ip.AsSlice(), Address: ip.String()}
	permitted := func(_ net.Addr, peer net.IP) bool { return !contains(o.Deny, peer) }
	var listeners []turn.ListenerConfig
	for _, l := range o.Listeners {
		listeners = append(listeners, turn.ListenerConfig{Listener: l, RelayAddressGenerator: relay, PermissionHandler: permitted})
	}
	return turn.ServerConfig{
		Realm:              Realm,
		LoggerFactory:      quiet,
		AllocationLifetime: o.Lifetime,
		AuthHandler: func(ra *turn.RequestAttributes) (string, []byte, bool) {
			return ra.Username, longTermKey(Username, ra.Realm, Password), ra.Username == Username
		},
		QuotaHandler: func(string, string, net.Addr) bool {
			<-p.started
			return o.Quota == 0 || p.server.AllocationCount() < o.Quota
		},
		ListenerConfigs: listeners,
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn:            conn,
			RelayAddressGenerator: relay,
			PermissionHandler:     func(_ net.Addr, peer net.IP) bool { return !contains(o.Deny, peer) },
		}},
	}
}

func contains(list []netip.Addr, ip net.IP) bool {
	addr, _ := netip.AddrFromSlice(ip)
	for _, a := range list {
		if a == addr.Unmap() {
			return true
		}
	}
	return false
}

// Name is "pion".
func (p *Pion) Name() string { return "pion" }

// Addr is the address for clients.
func (p *Pion) Addr() netip.AddrPort { return p.addr }

// Held is the server's own AllocationCount.
func (p *Pion) Held() (int, error) { return p.server.AllocationCount(), nil }

// Close stops the server; its allocations go with it.
func (p *Pion) Close() error { return p.server.Close() }
