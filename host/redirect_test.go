package host

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/turnwasm/turnwasm/client"
)

// What of a 300 is followed.
func TestRedirectPolicy(t *testing.T) {
	at := netip.MustParseAddrPort
	outside, other, loop, private := at("192.0.2.1:3478"), at("198.51.100.1:3478"), at("127.0.0.1:3478"), at("10.0.0.1:3478")
	for name, test := range map[string]struct {
		policy   RedirectPolicy
		from, to netip.AddrPort
		signed   bool
		want     bool
	}{
		"signed":                      {RedirectSigned, outside, other, true, true},
		"unsigned":                    {RedirectSigned, outside, other, false, false},
		"unsigned, any":               {RedirectAny, outside, other, false, true},
		"none":                        {RedirectNone, outside, other, true, false},
		"itself":                      {RedirectAny, outside, outside, true, false},
		"nowhere":                     {RedirectAny, outside, netip.AddrPort{}, true, false},
		"outside to loopback":         {RedirectAny, outside, loop, true, false},
		"outside to mapped loopback":  {RedirectAny, outside, at("[::ffff:127.0.0.1]:3478"), true, false},
		"outside to private":          {RedirectAny, outside, private, true, false},
		"outside to link-local":       {RedirectAny, outside, at("[fe80::1]:3478"), true, false},
		"loopback to loopback":        {RedirectAny, loop, at("127.0.0.2:3478"), true, true},
		"private to outside":          {RedirectAny, private, outside, true, true},
		"outside to unique local IP6": {RedirectAny, outside, at("[fd00::1]:3478"), true, false},
	} {
		cfg := Config{URL: "turn:example.org?transport=udp", Redirect: test.policy}
		why := &RequestError{Method: methodAllocate, Code: 300, Server: test.from, Alternate: test.to, Signed: test.signed}
		next, got := cfg.Redirected(fmt.Errorf("dial: %w", why))
		if got != test.want || got && next.URL != "turn:"+test.to.String()+"?transport=udp" {
			t.Errorf("%s: %t, %s", name, got, next.URL)
		}
	}
	if _, followed := (Config{}).Redirected(errors.New("another")); followed {
		t.Error("any error is followed")
	}
}

func TestRedirectInside(t *testing.T) {
	for to, want := range map[string]bool{
		"100.64.0.1": true, "100.100.100.200": true, "0.0.0.1": true, "240.0.0.1": true, "198.18.0.1": true, "192.0.0.8": true,
		"64:ff9b::7f00:1": true, "64:ff9b::a00:1": true, "64:ff9b:1::808:808": true, "2002:7f00:1::1": true, "fec0::1": true,
		"::127.0.0.1": true, "::ffff:0:7f00:1": true,
		"100.63.255.255": false, "100.128.0.1": false, "198.51.100.1": false, "64:ff9b::808:808": false, "2002:808:808::1": false, "2001:db8::1": false,
	} {
		if got := inside(netip.MustParseAddr(to)); got != want {
			t.Errorf("%s: %t", to, got)
		}
	}
}

// Never back, and never more than three times.
func TestRedirectEnds(t *testing.T) {
	server := func(i byte) netip.AddrPort { return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, i}), 3478) }
	cfg := Config{URL: "turn:192.0.2.0", Redirect: RedirectAny}
	hop := func(from, to byte) (ok bool) {
		cfg, ok = cfg.Redirected(&RequestError{Code: 300, Server: server(from), Alternate: server(to)})
		return ok
	}
	if !hop(0, 1) || hop(1, 0) || !hop(1, 2) || hop(2, 1) || !hop(2, 3) || hop(3, 4) {
		t.Errorf("after %v", cfg.trail)
	}
}

// Whose certificate is expected of the server that a 300 names.
func TestL06RedirectOverTLS(t *testing.T) {
	named := &tls.Config{ServerName: "config.example"}
	for _, test := range []struct {
		cfg          Config
		domain, want string
	}{
		{Config{URL: "turns:a.example"}, "", "a.example"},
		{Config{URL: "turns:a.example?transport=udp"}, "b.example", "b.example"},
		{Config{URL: "turns:192.0.2.1", ServerName: "c.example"}, "", "c.example"},
		{Config{URL: "turns:192.0.2.1", ServerName: "c.example"}, "b.example", "b.example"},
		{Config{URL: "turns:192.0.2.1", TLS: named}, "", "config.example"},
		{Config{URL: "turns:192.0.2.1", TLS: named}, "b.example", "b.example"},
	} {
		next, followed := test.cfg.Redirected(&RequestError{
			Code: 300, Signed: true, AlternateDomain: test.domain,
			Server: netip.MustParseAddrPort("192.0.2.1:5349"), Alternate: netip.MustParseAddrPort("192.0.2.2:5349"),
		})
		s, err := next.check()
		if !followed || err != nil || s.TLS.ServerName != test.want {
			t.Errorf("%s to %q: %t, %v, the certificate is to be %v's, want %s", test.cfg.URL, test.domain, followed, err, s.TLS, test.want)
		}
	}
}

// The name in a 300 gets to who follows it.
func TestL06AlternateDomain(t *testing.T) {
	c := &Conn{}
	c.react(&Event{Kind: client.Redirected, Peer: benchPeer, Domain: "b.example"}, 0)
	if c.alternate != benchPeer || c.domain != "b.example" {
		t.Errorf("kept %v, %q", c.alternate, c.domain)
	}
}
