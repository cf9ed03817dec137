package host

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"golang.org/x/text/secure/precis"
)

const (
	defaultLinger   = 2 * time.Second
	defaultSoftware = "turnwasm"
	defaultQueue    = 512
	maxUsername     = 509

	// The system's default of 208 KiB holds 90 datagrams of 1200 bytes, or two
	// coalesced runs: a tenth of a millisecond of a fast sender. 2 MiB are what
	// comes in 15 ms at 1 Gbit/s, longer than a reader is kept waiting. What
	// goes out waits here instead of being dropped, so it needs less: some runs,
	// and no long queue in front of what is sent next.
	defaultReadBuffer  = 2 << 20
	defaultWriteBuffer = 512 << 10
)

// Config says which server to use and how. The zero value of a field is its
// default.
type Config struct {
	// URL is a TURN URI: turn:HOST[:PORT], over UDP; turn:HOST?transport=tcp;
	// turns:HOST, over TLS; turns:HOST?transport=udp, over DTLS.
	//
	// A name without a port is looked up as RFC 5928 says: its SRV records, or
	// its addresses and the default port. Dial races what is found.
	URL string
	// Resolver looks names up; nil: net.DefaultResolver.
	Resolver *net.Resolver
	// TLS is what turns: begins from; nil: the system's roots. The certificate
	// is verified for the URL's host, or for ServerName, which a URL with an
	// address needs. Of DTLS it is Certificates, RootCAs, ServerName,
	// NextProtos, InsecureSkipVerify and VerifyPeerCertificate that count.
	TLS        *tls.Config
	ServerName string
	// NoALPN: "stun.turn" is not offered (RFC 7443).
	NoALPN bool
	// Username and Password are the long-term credential, as the user typed it.
	Username string
	Password string
	// AccessToken is a token of RFC 7635. Username is then the name of its key
	// (kid), Password the bytes of the key (mac_key). coturn 4.6 uses the first
	// 16 bytes of a key of 20: give it those.
	AccessToken []byte
	// Anonymous never sends the username where others can read it: Dial fails
	// where the server takes no hash of it (RFC 8489's USERHASH), and neither
	// TLS nor DTLS hides it.
	Anonymous bool
	// LocalAddr is the socket's own address: "", "192.0.2.1", "192.0.2.1:5000"
	// or ":5000". A port given here is the caller's own; see Steps of a Dial.
	LocalAddr string

	// Renew is called once, on a goroutine of its own, when the credential is
	// about to expire: RenewBefore (a minute) before Expires, or, where that is
	// zero, before the time that a username of the TURN REST API begins with. It
	// is for Conn.Replace, or with the same username for SetCredentials. A Conn
	// that has no allocation, or is closed, needs none.
	Renew       func(c *Conn, until time.Time)
	RenewBefore time.Duration
	Expires     time.Time

	// Linger is how long Close waits for the server's verdict: 2 s. Negative:
	// it sends one release and waits for nothing.
	Linger time.Duration

	// Family of the relayed address; client.FamilyBoth asks for one of either,
	// see Conn.Additional.
	Family client.Family
	// Lifetime to ask for; 0 leaves it to the server.
	Lifetime time.Duration
	// EvenPort asks for an even port, client.EvenPortReserve for the next one to
	// be kept, too: the event PortReserved brings the ReservationToken for the Conn that is
	// to have it. DontFragment keeps relays from fragmenting what WriteTo sends
	// without a channel. A server that grants neither is used without.
	EvenPort         client.EvenPort
	ReservationToken client.ReservationToken
	DontFragment     bool
	// Software is sent in Allocate and Refresh: "turnwasm". "-" sends none.
	Software string
	// Fingerprint adds FINGERPRINT to requests.
	Fingerprint bool
	// RTO is the first retransmission time-out: 500 ms. Once round trips are
	// measured it follows those, and is never less than MinRTO, which is RTO by
	// default. What a Conn has measured serves the next ones of the Runtime to
	// that server, for ten minutes. Rc is the number of sends of a request: 7;
	// Rm the wait after the last one, in RTOs: 16.
	RTO, MinRTO time.Duration
	Rc, Rm      int
	// RefreshCap is the longest time between two Refreshes; 0 leaves it to the
	// lifetime.
	RefreshCap time.Duration
	// Keepalive sends a Binding indication so often, for NATs that forget sooner
	// than a Refresh comes; 0: never. The least is 1 s.
	Keepalive time.Duration

	// Redirect says which 300 answers Dial follows: the signed ones, three times
	// at most, never back, and never from a public address to one that is not.
	Redirect RedirectPolicy
	trail    []RequestError // the 300s that led here
	patient  bool           // the next attempt of a race wants the same local port

	// Impatient: Allocate does not leave a server alone that asked for it; see
	// LeftAloneError.
	Impatient bool
	// NoAutoPermission: WriteTo makes no permissions.
	NoAutoPermission bool
	// NoReclaim: an allocation found on an explicit local port is not released.
	NoReclaim bool
	// Reallocate allocates anew when the allocation is lost, with the
	// permissions and channels that it had. The relayed address changes.
	Reallocate bool

	// Mobility asks the server for a ticket, with which the allocation moves to
	// another local address (RFC 8016): by Conn.Rebind, and by itself when a
	// datagram cannot be sent because the local address is gone. Where the server
	// has no mobility a new allocation takes its place; the relayed address
	// changes then.
	Mobility bool

	// RelayTCP asks for a relayed address that relays TCP connections (RFC 6062)
	// instead of datagrams: see Conn.DialTCP and Conn.ListenTCP. The URL is one
	// over TCP or TLS then, and so are the connections to the server that carry
	// them. UnsignedBind takes a server's answer to a ConnectionBind that is not
	// signed: pion's servers sign all but that.
	RelayTCP, UnsignedBind bool

	// ReceiveQueue is how many payloads wait for ReadFrom: 512.
	ReceiveQueue int
	// EventQueue is how many events wait in Conn.Events: 64.
	EventQueue int
	// ReadBuffer and WriteBuffer are the socket's buffers in bytes: 2 MiB and
	// 512 KiB, or the most that the system lets have. Negative: the system's
	// default.
	ReadBuffer, WriteBuffer int
	// Trace gets every datagram; see NewTrace.
	Trace *Trace
}

// settings is a Config that was checked: what a Conn is made from.
type settings struct {
	Config
	host string
	port uint16
	// portGiven: the URL says it; else SRV records do, if there are any.
	portGiven bool
	via       carrier
	local     netip.AddrPort
	cut       *atomic.Uint64 // datagrams that its sockets have cut
}

// Check says what Dial would refuse without asking anybody.
func (cfg Config) Check() error {
	_, err := cfg.check()
	return err
}

func (cfg Config) check() (settings, error) {
	s := settings{Config: cfg, cut: new(atomic.Uint64)}
	var err error
	if s.host, s.port, s.via, err = parseURL(cfg.URL); err != nil {
		return s, err
	}
	s.portGiven = hasPort(cfg.URL)
	if err = s.checkTLS(); err != nil {
		return s, err
	}
	if s.local, err = parseLocal(cfg.LocalAddr); err != nil {
		return s, err
	}
	if s.Username, s.Password, err = cfg.prepare(); err != nil {
		return s, err
	}
	if err = cfg.checkNumbers(); err != nil {
		return s, err
	}
	if err = s.checkRelay(); err != nil {
		return s, err
	}
	if cfg.Linger == 0 {
		s.Linger = defaultLinger
	}
	if cfg.Software == "" {
		s.Software = defaultSoftware
	}
	if cfg.Software == "-" {
		s.Software = ""
	}
	s.ReceiveQueue = positive(cfg.ReceiveQueue, defaultQueue)
	s.EventQueue = positive(cfg.EventQueue, 64)
	s.ReadBuffer = cmp.Or(cfg.ReadBuffer, defaultReadBuffer)
	s.WriteBuffer = cmp.Or(cfg.WriteBuffer, defaultWriteBuffer)
	return s, nil
}

func (cfg Config) checkNumbers() error {
	for name, negative := range map[string]bool{
		"Lifetime": cfg.Lifetime < 0, "RTO": cfg.RTO < 0, "MinRTO": cfg.MinRTO < 0, "RefreshCap": cfg.RefreshCap < 0, "Keepalive": cfg.Keepalive < 0, "RenewBefore": cfg.RenewBefore < 0,
		"Rc": cfg.Rc < 0, "Rm": cfg.Rm < 0,
	} {
		if negative {
			return fmt.Errorf("%w: %s is negative", client.ErrConfig, name)
		}
	}
	return nil
}

func positive(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// clientConfig is the machine's part, for this server.
func (s *settings) clientConfig(server netip.AddrPort) client.Config {
	return client.Config{
		Server: server, Transport: s.via.transport(), Secured: s.via.secured(), Username: []byte(s.Username), Password: []byte(s.Password),
		Family: s.Family, Lifetime: s.Lifetime, Software: s.Software, Fingerprint: s.Fingerprint,
		RTO: s.RTO, MinRTO: s.MinRTO, Rc: s.Rc, Rm: s.Rm, RefreshCap: s.RefreshCap, Keepalive: s.Keepalive,
		AutoPermission: !s.NoAutoPermission,
		Reclaim:        s.ownsPort() && !s.NoReclaim,
		Reallocate:     s.Reallocate,
		Anonymous:      s.Anonymous,
		AccessToken:    s.AccessToken,
		Mobility:       s.Mobility,
		Relay:          s.relay(),
		UnsignedBind:   s.UnsignedBind,
		EvenPort:       s.EvenPort, ReservationToken: s.ReservationToken, DontFragment: s.DontFragment,
	}
}

// ownsPort: the caller chose the local port. A live Conn of ours on it would
// make the bind fail, so whatever the server holds there is an earlier run's.
func (s *settings) ownsPort() bool { return s.local.Port() != 0 }

// sizeBuffers asks for the socket's buffers. An error says that the system
// does not let us have so much: it is as fast as it can be, then.
func (s *settings) sizeBuffers(sock *net.UDPConn) {
	if s.ReadBuffer > 0 {
		_ = sock.SetReadBuffer(s.ReadBuffer)
	}
	if s.WriteBuffer > 0 {
		_ = sock.SetWriteBuffer(s.WriteBuffer)
	}
}

// prepare answers the credentials as the machine wants them. A token's key is
// no text.
func (cfg Config) prepare() (username, password string, err error) {
	if len(cfg.AccessToken) > 0 {
		return cfg.Username, cfg.Password, nil
	}
	return prepareCredentials(cfg.Username, cfg.Password)
}

// prepareCredentials applies OpaqueString to both, because only the host has
// the tables for it.
//
// "It MUST contain a UTF-8-encoded [RFC3629] sequence of fewer than 509 bytes
// and MUST have been processed using the OpaqueString profile [RFC8265]."
// https://www.rfc-editor.org/rfc/rfc8489#section-14.3
//
// "key = MD5(username ":" OpaqueString(realm) ":" OpaqueString(password))"
// https://www.rfc-editor.org/rfc/rfc8489#section-9.2.2
func prepareCredentials(username, password string) (string, string, error) {
	if username == "" && password == "" {
		return "", "", nil // a server without authentication
	}
	if username == "" {
		return "", "", errors.New("a password without a username")
	}
	u, err := precis.OpaqueString.String(username)
	if err != nil {
		return "", "", fmt.Errorf("username: %w", err)
	}
	if len(u) >= maxUsername {
		return "", "", fmt.Errorf("username: longer than %d bytes", maxUsername-1)
	}
	if password == "" {
		return "", "", errors.New("a username without a password")
	}
	p, err := precis.OpaqueString.String(password)
	if err != nil { // precis names the rule that is broken, not the text
		return "", "", fmt.Errorf("password: %w", err)
	}
	return u, p, nil
}
