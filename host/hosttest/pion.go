package hosttest

import (
	"errors"
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
	// Secret makes time-limited credentials from one secret (the "TURN REST API")
	// the only ones that the server takes.
	Secret string
	// Ports are the first and the last one of relayed addresses: all.
	Ports [2]uint16
	// Relay6 relays on ::1 for those who ask for IPv6.
	Relay6 bool
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
	relay := o.relay(ip)
	permitted := func(_ net.Addr, peer net.IP) bool { return !contains(o.Deny, peer) }
	var listeners []turn.ListenerConfig
	for _, l := range o.Listeners {
		listeners = append(listeners, turn.ListenerConfig{Listener: l, RelayAddressGenerator: relay, PermissionHandler: permitted})
	}
	return turn.ServerConfig{
		Realm:              Realm,
		LoggerFactory:      quiet,
		AllocationLifetime: o.Lifetime,
		AuthHandler:        o.authenticate(quiet.NewLogger("turn")),
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

// authenticate looks up the key of a username.
func (o *PionOptions) authenticate(log logging.LeveledLogger) turn.AuthHandler {
	if o.Secret != "" {
		return turn.LongTermTURNRESTAuthHandler(o.Secret, log)
	}
	return func(ra *turn.RequestAttributes) (string, []byte, bool) {
		return ra.Username, longTermKey(Username, ra.Realm, Password), ra.Username == Username
	}
}

// relay opens relayed addresses on the server's own address.
func (o *PionOptions) relay(ip netip.Addr) turn.RelayAddressGenerator {
	if o.Ports[0] != 0 {
		return &turn.RelayAddressGeneratorPortRange{
			RelayAddress: ip.AsSlice(), Address: ip.String(), MinPort: o.Ports[0], MaxPort: o.Ports[1],
		}
	}
	static := func(ip netip.Addr) *turn.RelayAddressGeneratorStatic {
		return &turn.RelayAddressGeneratorStatic{RelayAddress: ip.AsSlice(), Address: ip.String()}
	}
	if o.Relay6 {
		return &bothFamilies{static(ip), static(netip.IPv6Loopback())}
	}
	return static(ip)
}

// bothFamilies relays IPv6 by the second one.
type bothFamilies struct {
	*turn.RelayAddressGeneratorStatic
	six *turn.RelayAddressGeneratorStatic
}

func (b *bothFamilies) Validate() error {
	return errors.Join(b.RelayAddressGeneratorStatic.Validate(), b.six.Validate())
}

func (b *bothFamilies) AllocatePacketConn(conf turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	if conf.Network == "udp6" {
		return b.six.AllocatePacketConn(conf)
	}
	return b.RelayAddressGeneratorStatic.AllocatePacketConn(conf)
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
