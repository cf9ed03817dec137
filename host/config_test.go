package host

import (
	"strings"
	"testing"
	"time"
)

func TestConfigDefaults(t *testing.T) {
	s, err := Config{URL: "turn:192.0.2.1"}.check()
	if err != nil {
		t.Fatal(err)
	}
	if s.Linger != 2*time.Second || s.Software != "turnwasm" || s.ReceiveQueue != 512 || s.EventQueue != 64 {
		t.Errorf("defaults are %v %q %d %d", s.Linger, s.Software, s.ReceiveQueue, s.EventQueue)
	}
	cfg := s.clientConfig(s.local)
	if !cfg.AutoPermission || cfg.Reclaim {
		t.Errorf("without a port of the caller's: AutoPermission %v, Reclaim %v, want true, false", cfg.AutoPermission, cfg.Reclaim)
	}
	s, err = Config{URL: "turn:192.0.2.1", LocalAddr: ":5000", Software: "-", NoAutoPermission: true}.check()
	if err != nil {
		t.Fatal(err)
	}
	cfg = s.clientConfig(s.local)
	if cfg.AutoPermission || !cfg.Reclaim || cfg.Software != "" {
		t.Errorf("with a port of the caller's: AutoPermission %v, Reclaim %v, Software %q, want false, true, none", cfg.AutoPermission, cfg.Reclaim, cfg.Software)
	}
}

// RFC 8265 section 4.3, table 3, and section 4.2.2: spaces are mapped, the rest
// is composed, case is kept.
func TestA08CredentialsAreOpaqueStrings(t *testing.T) {
	for raw, want := range map[string]string{
		"correct horse battery staple": "correct horse battery staple",
		"Correct Horse Battery Staple": "Correct Horse Battery Staple",
		"πßå":                          "πßå",
		"Jack of \u2666s":              "Jack of \u2666s",
		"foo\u1680bar":                 "foo bar",
		"a\u030a":                      "\u00e5",
	} {
		u, p, err := prepareCredentials(raw, raw)
		if err != nil || u != want || p != want {
			t.Errorf("%q: got %q, %q, %v, want %q", raw, u, p, err, want)
		}
	}
	for _, c := range [][2]string{
		{"u", "my cat is a \u0009by"}, {"u\x00", "p"}, {"", "p"}, {"u", ""}, {strings.Repeat("u", 509), "p"},
	} {
		if _, _, err := prepareCredentials(c[0], c[1]); err == nil {
			t.Errorf("%q, %q: no error", c[0], c[1])
		}
	}
	if _, _, err := prepareCredentials("u", "hunter\x002"); err == nil || strings.Contains(err.Error(), "hunter") {
		t.Errorf("the error is %v, want one without the password", err)
	}
	if _, _, err := prepareCredentials("", ""); err != nil {
		t.Errorf("no credentials: %v, want none needed", err)
	}
}
