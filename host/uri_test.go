package host

import (
	"strings"
	"testing"
)

func TestURLs(t *testing.T) {
	good := map[string]struct {
		host string
		port uint16
	}{
		"turn:192.0.2.1":                         {"192.0.2.1", 3478},
		"turn:192.0.2.1:5000":                    {"192.0.2.1", 5000},
		"turn:turn.example.org":                  {"turn.example.org", 3478},
		"turn:turn.example.org:80?transport=udp": {"turn.example.org", 80},
		"TURN:Turn.Example.org?transport=UDP":    {"turn.example.org", 3478},
		"turn:[2001:db8::1]":                     {"2001:db8::1", 3478},
		"turn:[2001:db8::1]:65535?transport=udp": {"2001:db8::1", 65535},
	}
	for raw, want := range good {
		host, port, _, err := parseURL(raw)
		if err != nil || host != want.host || port != want.port {
			t.Errorf("%s: got %q, %d, %v, want %q, %d", raw, host, port, err, want.host, want.port)
		}
	}
	bad := map[string]string{ // what the error must name
		"":                              "not a TURN URI",
		"192.0.2.1:3478":                "not a TURN URI",
		"stun:192.0.2.1":                "scheme",
		"http://192.0.2.1":              "not a TURN URI",
		"turn://192.0.2.1":              "no slashes",
		"turn:":                         "not a TURN URI",
		"turn::3478":                    "not a TURN URI",
		"turn:192.0.2.1:0":              "port",
		"turn:192.0.2.1:65536":          "port",
		"turn:192.0.2.1:-1":             "port",
		"turn:192.0.2.1:x":              "not a TURN URI",
		"turn:alice:secret@192.0.2.1":   "credentials",
		"turn:192.0.2.1?transport=sctp": "not a TURN URI",
		"turn:192.0.2.1#x":              "not a TURN URI",
		"turn:192.0.2.1 ":               "not a TURN URI",
	}
	for raw, want := range bad {
		if _, _, _, err := parseURL(raw); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: the error is %v, want one with %q", raw, err, want)
		}
	}
	for raw, want := range map[string]carrier{
		"turn:192.0.2.1": overUDP, "turns:192.0.2.1": overTLS, "turns:192.0.2.1?transport=tcp": overTLS,
		"turn:192.0.2.1?transport=tcp": overTCP, "turns:192.0.2.1?transport=udp": overDTLS,
	} {
		if _, _, via, err := parseURL(raw); via != want || err != nil {
			t.Errorf("%q: got %v, %v, want %v", raw, via, err, want)
		}
	}
	if _, port, _, _ := parseURL("turns:example.org"); port != 5349 {
		t.Errorf("turns: has the port %d", port)
	}
}

func TestLocalAddresses(t *testing.T) {
	for raw, want := range map[string]string{
		"": "invalid AddrPort", "192.0.2.1": "192.0.2.1:0", "192.0.2.1:5000": "192.0.2.1:5000",
		"::1": "[::1]:0", "[::1]:5000": "[::1]:5000",
	} {
		if got, err := parseLocal(raw); err != nil || got.String() != want {
			t.Errorf("%q: got %v, %v, want %s", raw, got, err, want)
		}
	}
	if got, err := parseLocal(":5000"); err != nil || got.Port() != 5000 || got.Addr().IsValid() {
		t.Errorf(":5000: got %v, %v, want port 5000 of any address", got, err)
	}
	for _, raw := range []string{"x", ":", ":65536", "localhost:5000", "192.0.2.1:x"} {
		if _, err := parseLocal(raw); err == nil || !strings.Contains(err.Error(), "local address") {
			t.Errorf("%q: the error is %v, want one that names the local address", raw, err)
		}
	}
}
