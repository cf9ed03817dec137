package host

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/pion/stun/v3"
)

// parseURL reads a TURN URI (RFC 7065) into the server's host and port, and what
// carries TURN there.
//
//	turnURI       = scheme ":" host [ ":" port ] [ "?transport=" transport ]
//
// https://www.rfc-editor.org/rfc/rfc7065#section-3.1
func parseURL(raw string) (host string, port uint16, via carrier, err error) {
	if rest, found := strings.CutPrefix(raw, "turn://"); found {
		return "", 0, 0, urlError(raw, "a TURN URI has no slashes: turn:"+rest)
	}
	if strings.ContainsAny(raw, "@#/ ") {
		return "", 0, 0, urlError(raw, "want turn:HOST[:PORT][?transport=udp|tcp]; the credentials are not part of it")
	}
	uri, err := stun.ParseURI(strings.ToLower(raw))
	if err != nil {
		return "", 0, 0, urlError(raw, "want turn:HOST[:PORT][?transport=udp|tcp] or turns:")
	}
	if uri.Port < 1 || uri.Port > 65535 {
		return "", 0, 0, urlError(raw, "the port is not in 1..65535")
	}
	switch {
	case uri.Scheme == stun.SchemeTypeTURNS && uri.Proto == stun.ProtoTypeUDP:
		via = overDTLS
	case uri.Scheme == stun.SchemeTypeTURNS:
		via = overTLS
	case uri.Scheme != stun.SchemeTypeTURN:
		return "", 0, 0, urlError(raw, "the scheme is neither turn: nor turns:")
	case uri.Proto == stun.ProtoTypeTCP:
		via = overTCP
	}
	return uri.Host, uint16(uri.Port), via, nil
}

// hasPort says whether a TURN URI that was parsed names a port.
func hasPort(raw string) bool {
	_, host, _ := strings.Cut(raw, ":")
	host, _, _ = strings.Cut(host, "?")
	return strings.LastIndexByte(host, ':') > strings.LastIndexByte(host, ']') // [::1] has none
}

func urlError(raw, why string) error {
	return fmt.Errorf("%q is not a TURN URI: %s", raw, why)
}

// parseLocal reads Config.LocalAddr: "", "192.0.2.1", "192.0.2.1:5000", ":5000".
// The zero address stands for any.
func parseLocal(s string) (netip.AddrPort, error) {
	if s == "" {
		return netip.AddrPort{}, nil
	}
	if ip, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(ip, 0), nil
	}
	if port, found := strings.CutPrefix(s, ":"); found {
		at, err := netip.ParseAddrPort("0.0.0.0:" + port)
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("local address %q: the port is not in 0..65535", s)
		}
		return netip.AddrPortFrom(netip.Addr{}, at.Port()), nil
	}
	at, err := netip.ParseAddrPort(s)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("local address %q: want IP, IP:PORT or :PORT", s)
	}
	return at, nil
}
