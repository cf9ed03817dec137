package bridge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/pion/stun/v3"
)

// target is a TURN server on the list.
type target struct {
	uri     string // normalised
	address string // HOST:PORT
}

// targets is the list, by normalised URI.
type targets map[string]target

func newTargets(uris []string) (targets, error) {
	list := targets{}
	for _, raw := range uris {
		t, err := parseTarget(raw)
		if err != nil {
			return nil, err
		}
		list[t.uri] = t
	}
	if len(list) == 0 {
		return nil, errors.New("bridge: no TURN server")
	}
	return list, nil
}

// find answers the server that a page names. Nothing names the only one.
func (l targets) find(raw string) (target, bool) {
	if raw == "" && len(l) == 1 {
		for _, t := range l {
			return t, true
		}
	}
	named, err := parseTarget(raw)
	if err != nil {
		return target{}, false
	}
	t, ok := l[named.uri]
	return t, ok
}

// parseTarget reads a TURN URI; the same server is the same string afterwards.
func parseTarget(raw string) (target, error) {
	if strings.ContainsAny(raw, "@#/ ") {
		return target{}, fmt.Errorf("bridge: %q is not a TURN URI: want turn:HOST[:PORT]", raw)
	}
	uri, err := stun.ParseURI(strings.ToLower(raw))
	if err != nil || uri.Scheme != stun.SchemeTypeTURN || uri.Host == "" || uri.Port < 1 || uri.Port > 65535 {
		return target{}, fmt.Errorf("bridge: %q is not a TURN URI: want turn:HOST[:PORT]", raw)
	}
	if uri.Proto != stun.ProtoTypeUDP {
		return target{}, fmt.Errorf("bridge: %q: the bridge speaks UDP to the server alone", raw)
	}
	address := net.JoinHostPort(uri.Host, strconv.Itoa(uri.Port))
	return target{uri: "turn:" + address, address: address}, nil
}

// dialPatience is for the name of the server.
const dialPatience = 5 * time.Second

// dial opens the socket of a session.
func (t target) dial(ctx context.Context) (*net.UDPConn, netip.AddrPort, error) {
	d := net.Dialer{Timeout: dialPatience}
	conn, err := d.DialContext(ctx, "udp", t.address)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	sock := conn.(*net.UDPConn) // "udp" dials nothing else
	at := sock.RemoteAddr().(*net.UDPAddr).AddrPort()
	return sock, netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), nil
}
