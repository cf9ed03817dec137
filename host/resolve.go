package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// maxPlaces bounds the addresses, and the SRV records, of one name that are
// tried.
const maxPlaces = 8

// places are the transport addresses where the server may be, in the order in
// which they are tried:
//
//   - an address, or a name with a port: the name's addresses (A, AAAA);
//   - else its SRV records, and the addresses of what they name;
//   - without such records the name's addresses, and the default port.
//
// https://www.rfc-editor.org/rfc/rfc5928#section-3
//
// NAPTR records, which would choose the transport, are not looked up: the URI
// says it. A name without a dot is this host's or this network's: it has no
// records for services.
func (s *settings) places(ctx context.Context) ([]netip.AddrPort, error) {
	if _, err := netip.ParseAddr(s.host); err == nil || s.portGiven || !strings.Contains(s.host, ".") {
		return s.addresses(ctx, s.host, s.port)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	plain := make(chan found, 1) // asked for at the same time: most names have no SRV records
	go func() {
		at, err := s.addresses(ctx, s.host, s.port)
		plain <- found{at, err}
	}()
	targets := make(chan served, 1)
	go func() {
		t, err := s.services(ctx)
		targets <- served{t, err}
	}()
	var f found
	var late <-chan time.Time
	for asked := plain; ; {
		select {
		case f = <-asked:
			if asked = nil; f.err == nil {
				late = time.After(serviceDelay)
			}
			continue
		case t := <-targets:
			if t.err != nil {
				return nil, t.err
			}
			if len(t.targets) > 0 {
				return s.targets(ctx, t.targets)
			}
			if asked != nil {
				f = <-asked
			}
		case <-late: // some name servers do not answer what they do not know
		}
		return f.at, f.err
	}
}

// serviceDelay is how long a name's addresses, when they are known, wait for its
// SRV records.
const serviceDelay = time.Second

// served is what came of a name's services.
type served struct {
	targets []*net.SRV
	err     error
}

// found is what came of a name.
type found struct {
	at  []netip.AddrPort
	err error
}

// services are the name's SRV records, by priority and weight: "The SRV
// algorithm recommends doing an A query if the SRV query returns an error or no
// SRV RR". https://www.rfc-editor.org/rfc/rfc5928#section-3
func (s *settings) services(ctx context.Context) ([]*net.SRV, error) {
	service, proto := s.via.service()
	_, targets, err := s.resolver().LookupSRV(ctx, service, proto, strings.TrimSuffix(s.host, ".")+".")
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && len(targets) == 0: // Go drops records that are broken, and says so
		return nil, nil
	case len(targets) == 1 && targets[0].Target == ".":
		// The root as a target: there is no such service (RFC 2782).
		return nil, fmt.Errorf("%s has no TURN over %s: its SRV record says so", s.host, proto)
	}
	return targets[:min(len(targets), maxPlaces)], nil
}

// service is the transport's name in SRV records: _turn._udp, _turns._tcp.
//
// https://www.rfc-editor.org/rfc/rfc5928#section-3
func (v carrier) service() (service, proto string) {
	service, proto = "turn", "udp"
	if v.secured() {
		service = "turns"
	}
	if v == overTCP || v == overTLS {
		proto = "tcp"
	}
	return service, proto
}

// targets looks up all of them at the same time. When one is found the others
// have attemptDelay: one that hangs is not in the way.
func (s *settings) targets(ctx context.Context, targets []*net.SRV) (all []netip.AddrPort, err error) {
	answered := make(chan int, len(targets))
	answers := make([]found, len(targets))
	for i, t := range targets {
		go func() {
			at, err := s.addresses(ctx, t.Target, t.Port)
			answers[i] = found{at, err}
			answered <- i
		}()
	}
	var errs []error
	var late <-chan time.Time
	known := make([]found, len(targets)) // of those that have answered
	for waiting := len(targets); waiting > 0; waiting-- {
		select {
		case i := <-answered:
			known[i] = answers[i]
			if late == nil && known[i].err == nil {
				late = time.After(attemptDelay)
			}
		case <-late:
			waiting = 1
		}
	}
	for _, f := range known {
		all = append(all, f.at...)
		if f.err != nil {
			errs = append(errs, f.err)
		}
	}
	if len(all) == 0 {
		return nil, join(errs)
	}
	return all[:min(len(all), maxPlaces)], nil
}

// addresses are those of a name that the local address can reach.
func (s *settings) addresses(ctx context.Context, name string, port uint16) ([]netip.AddrPort, error) {
	ips, err := s.resolver().LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, err
	}
	var at []netip.AddrPort
	for _, ip := range ips {
		ip = ip.Unmap()
		if local := s.local.Addr(); !local.IsValid() || local.Is4() == ip.Is4() {
			at = append(at, netip.AddrPortFrom(ip, port))
		}
	}
	if len(at) == 0 {
		return nil, errors.New(name + " has no address of the local address's family")
	}
	at = interleaved(at)
	return at[:min(len(at), maxPlaces)], nil
}

func (s *settings) resolver() *net.Resolver {
	if s.Resolver != nil {
		return s.Resolver
	}
	return net.DefaultResolver
}

// interleaved takes of either family in turns: "Whichever address family is first
// in the list should be followed by an address of the other address family".
// https://www.rfc-editor.org/rfc/rfc8305#section-4
func interleaved(at []netip.AddrPort) []netip.AddrPort {
	var first, other []netip.AddrPort
	for _, a := range at {
		if a.Addr().Is4() == at[0].Addr().Is4() {
			first = append(first, a)
		} else {
			other = append(other, a)
		}
	}
	mixed := make([]netip.AddrPort, 0, len(at))
	for i := range max(len(first), len(other)) {
		if i < len(first) {
			mixed = append(mixed, first[i])
		}
		if i < len(other) {
			mixed = append(mixed, other[i])
		}
	}
	return mixed
}
