package host

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/turnwasm/turnwasm/client"
)

// RedirectPolicy says which 300 (Try Alternate) answers are followed.
type RedirectPolicy uint8

const (
	// RedirectSigned follows those that carry a valid MESSAGE-INTEGRITY.
	RedirectSigned RedirectPolicy = iota
	// RedirectAny follows unsigned ones, too: coturn sends no others. Whoever can
	// send a datagram in the server's name chooses the server, then.
	RedirectAny
	// RedirectNone follows none.
	RedirectNone
)

// maxRedirects bounds how often one Dial is sent elsewhere.
const maxRedirects = 3

// Redirected is the Config for the server to which err, an Allocate's 300,
// points; false when err is none, or its policy does not let it be followed.
// Dial does so by itself; it is for those who Open and Allocate.
func (cfg Config) Redirected(err error) (Config, bool) {
	why, is := errors.AsType[*RequestError](err)
	if !is || !why.Alternate.IsValid() || !cfg.follows(why) {
		return cfg, false
	}
	cfg.trail = append(slices.Clone(cfg.trail), *why)
	scheme, _, _ := strings.Cut(cfg.URL, ":")
	_, query, asked := strings.Cut(cfg.URL, "?")
	cfg.ServerName = cfg.nameAt(why)
	cfg.URL = scheme + ":" + why.Alternate.String()
	if asked {
		cfg.URL += "?" + query
	}
	return cfg, true
}

// nameAt is whose certificate is expected at the other server: the one of the
// domain that the 300 names (ALTERNATE-DOMAIN), or the same one as here.
func (cfg *Config) nameAt(why *RequestError) string {
	if why.AlternateDomain != "" {
		return why.AlternateDomain
	}
	if host, _, _, err := parseURL(cfg.URL); err == nil && cfg.ServerName == "" && (cfg.TLS == nil || cfg.TLS.ServerName == "") {
		return host
	}
	return cfg.ServerName
}

// follows: "If the client has been redirected to a server to which it has already
// sent this request within the last five minutes, it MUST ignore the redirection
// and consider the transaction to have failed."
// https://www.rfc-editor.org/rfc/rfc8489#section-10
//
// And no server outside makes us talk to what only we can reach.
func (cfg *Config) follows(why *RequestError) bool {
	been := func(hop RequestError) bool { return hop.Server == why.Alternate }
	switch {
	case cfg.Redirect == RedirectNone || cfg.Redirect == RedirectSigned && !why.Signed:
		return false
	case len(cfg.trail) >= maxRedirects || why.Alternate == why.Server || slices.ContainsFunc(cfg.trail, been):
		return false
	}
	return inside(why.Server.Addr()) || !inside(why.Alternate.Addr())
}

// notPublic are what netip takes for global unicast and is not the Internet's:
// a provider's or an overlay's own (RFC 6598), and the rest of
// https://www.iana.org/assignments/iana-ipv4-special-registry
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("fec0::/10"),
}

// embedding are prefixes with an IPv4 address at the byte: where it leads is
// that one's.
var embedding = map[netip.Prefix]int{
	netip.MustParsePrefix("::/96"): 12, netip.MustParsePrefix("::ffff:0:0:0/96"): 12,
	netip.MustParsePrefix("64:ff9b::/96"): 12, netip.MustParsePrefix("2002::/16"): 2,
}

// inside: an address that is not one of the Internet's.
func inside(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return true
	}
	for in, at := range embedding {
		if in.Contains(ip) {
			b := ip.As16()
			return inside(netip.AddrFrom4([4]byte(b[at : at+4])))
		}
	}
	return slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// retrace tells the new Conn's user how it came there.
func (c *Conn) retrace() {
	for _, hop := range c.settings.trail {
		e := Event{Kind: client.Redirected, Method: hop.Method, Peer: hop.Alternate, Signed: hop.Signed, Code: hop.Code}
		c.events.put(e)
		c.log(e)
	}
}
