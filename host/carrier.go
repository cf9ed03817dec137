package host

import (
	"crypto/tls"
	"fmt"
	"net/netip"

	"github.com/pion/dtls/v3"

	"github.com/turnwasm/turnwasm/client"
)

// carrier is what carries TURN to the server. The relayed transport address is
// UDP's whatever it is.
type carrier uint8

const (
	overUDP carrier = iota
	overTCP
	overTLS
	overDTLS
)

func (v carrier) secured() bool { return v == overTLS || v == overDTLS }

// transport is the machine's view. DTLS keeps datagrams apart.
func (v carrier) transport() client.Transport {
	if v == overTCP || v == overTLS {
		return client.TransportStream
	}
	return client.TransportDatagram
}

// alpn is the "Application-Layer Protocol Negotiation (ALPN) Protocol ID" of
// TURN. https://www.rfc-editor.org/rfc/rfc7443#section-3
const alpn = "stun.turn"

// checkTLS completes Config.TLS, for what the URI says.
func (s *settings) checkTLS() error {
	if !s.via.secured() {
		return nil
	}
	c := new(tls.Config)
	if s.TLS != nil {
		c = s.TLS.Clone()
	}
	if s.ServerName != "" {
		c.ServerName = s.ServerName
	}
	if c.ServerName == "" {
		if _, err := netip.ParseAddr(s.host); err == nil && !c.InsecureSkipVerify {
			return fmt.Errorf("%q names an address: Config.ServerName must say whose certificate is expected there", s.URL)
		}
		c.ServerName = s.host
	}
	if c.NextProtos == nil && !s.NoALPN {
		c.NextProtos = []string{alpn}
	}
	s.TLS = c
	return nil
}

// dtlsOptions are what of a tls.Config has its like in DTLS.
func dtlsOptions(c *tls.Config) []dtls.ClientOption {
	o := []dtls.ClientOption{
		dtls.WithRootCAs(c.RootCAs), dtls.WithServerName(c.ServerName), dtls.WithInsecureSkipVerify(c.InsecureSkipVerify),
	}
	if len(c.Certificates) > 0 {
		o = append(o, dtls.WithCertificates(c.Certificates...))
	}
	if c.VerifyPeerCertificate != nil {
		o = append(o, dtls.WithVerifyPeerCertificate(c.VerifyPeerCertificate))
	}
	if len(c.NextProtos) > 0 {
		o = append(o, dtls.WithSupportedProtocols(c.NextProtos...))
	}
	return o
}
