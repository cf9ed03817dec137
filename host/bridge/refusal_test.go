package bridge

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

var elsewhere = netip.MustParseAddrPort("192.0.2.1:3478")

func TestRefusedWithAStatus(t *testing.T) {
	r, b := newRig(t, nil, elsewhere), newBrowser(t)
	origin := func(s ...string) http.Header { return http.Header{"Origin": s} }
	for name, c := range map[string]struct {
		query  string
		header http.Header
		status int
		reason string
	}{
		"wrong path":             {"/", origin(pageOrigin), 404, "path"},
		"another version":        {"/turn/2", origin(pageOrigin), 404, "path"},
		"no origin":              {Path, http.Header{}, 403, "origin"},
		"another origin":         {Path, origin("https://evil.test"), 403, "origin"},
		"another scheme":         {Path, origin("http://page.test"), 403, "origin"},
		"another port":           {Path, origin("https://page.test:444"), 403, "origin"},
		"a prefix of the origin": {Path, origin("https://page.test.evil.test"), 403, "origin"},
		"two origins":            {Path, origin(pageOrigin, pageOrigin), 403, "origin"},
		"null":                   {Path, origin("null"), 403, "origin"},
	} {
		t.Run(name, func(t *testing.T) {
			before := r.metric("refused_total", "reason", c.reason)
			p, err := b.dial(soon(t), r.at, c.query, c.header)
			if err == nil || p == nil || p.status != c.status {
				t.Fatalf("got %+v, %v, want status %d", p, err, c.status)
			}
			p.die()
			r.wantMetric(before+1, "refused_total", "reason", c.reason)
		})
	}
	r.wantMetric(0, "connections")
}

func TestAGetIsNoSession(t *testing.T) {
	r, b := newRig(t, nil, elsewhere), newBrowser(t)
	get(t, b, r.at, Path, http.StatusMethodNotAllowed)
	r.wantMetric(1, "refused_total", "reason", "method")
}

func TestRefusedWithACode(t *testing.T) {
	t.Parallel()
	const secret = "open sesame"
	var log bytes.Buffer
	r := newRig(t, func(c *Config) {
		c.Token = secret
		c.Servers = append(c.Servers, "turn:turn.example.org:3479")
		c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}, elsewhere)
	b := newBrowser(t)
	right := "&token=" + url.QueryEscape(secret)
	for name, c := range map[string]struct {
		query string
		code  Code
	}{
		"no token":            {serverQuery(elsewhere), CodeToken},
		"empty token":         {serverQuery(elsewhere) + "&token=", CodeToken},
		"wrong token":         {serverQuery(elsewhere) + "&token=open", CodeToken},
		"no server named":     {Path + "?" + right, CodeServer},
		"another port":        {Path + "?server=turn:192.0.2.1:3479" + right, CodeServer},
		"another host":        {Path + "?server=turn:192.0.2.2" + right, CodeServer},
		"TLS to the server":   {Path + "?server=turns:192.0.2.1:3478" + right, CodeServer},
		"TCP to the server":   {Path + "?server=turn:192.0.2.1%3Ftransport%3Dtcp" + right, CodeServer},
		"STUN":                {Path + "?server=stun:192.0.2.1" + right, CodeServer},
		"no URI":              {Path + "?server=192.0.2.1:3478" + right, CodeServer},
		"the loopback":        {Path + "?server=turn:127.0.0.1" + right, CodeServer},
		"credentials":         {Path + "?server=turn:a:b@192.0.2.1" + right, CodeServer},
		"senseless":           {Path + "?server=%00%ff" + right, CodeServer},
		"as long as one gets": {Path + "?server=turn:" + strings.Repeat("x", 4000) + right, CodeServer},
	} {
		t.Run(name, func(t *testing.T) {
			before := r.metric("refused_total", "reason", c.code.String())
			p, err := b.dial(soon(t), r.at, c.query, nil)
			if err != nil {
				t.Fatal(err)
			}
			wantEnd(t, p, c.code)
			p.die()
			r.wantMetric(before+1, "refused_total", "reason", c.code.String())
		})
	}
	for name, c := range map[string]struct {
		query  string
		header http.Header
	}{
		"in the URL":     {serverQuery(elsewhere) + right, nil},
		"in the header":  {serverQuery(elsewhere), http.Header{"Origin": {pageOrigin}, "Authorization": {"Bearer " + secret}}},
		"other spelling": {Path + "?server=TURN:Turn.Example.ORG:3479%3Ftransport%3Dudp" + right, nil},
	} {
		t.Run("right token "+name, func(t *testing.T) {
			p, err := b.dial(soon(t), r.at, c.query, c.header)
			if err != nil {
				t.Fatal(err)
			}
			defer p.die()
			if strings.Contains(c.query, "Example") {
				wantEnd(t, p, CodeSocket) // found, but no such name
				return
			}
			if err := p.greet(soon(t)); err != nil {
				t.Error(err)
			}
		})
	}
	r.Close() // nobody logs any more
	if strings.Contains(log.String(), "sesame") || strings.Contains(log.String(), "token=") {
		t.Errorf("a token is in the log:\n%s", &log)
	}
	if !strings.Contains(log.String(), "reason=token") {
		t.Errorf("the log does not say why:\n%s", &log)
	}
}

func TestConfigurations(t *testing.T) {
	good := func() Config {
		cert, _, err := DevCertificate()
		if err != nil {
			t.Fatal(err)
		}
		return Config{TLS: tlsOf(cert), Servers: []string{"turn:192.0.2.1"}, Origins: []string{"*"}}
	}
	if _, err := New(good()); err != nil {
		t.Errorf("a good one: %v", err)
	}
	for want, change := range map[string]func(*Config){
		"no certificate":                 func(c *Config) { c.TLS = nil },
		"no TURN server":                 func(c *Config) { c.Servers = nil },
		"not a TURN URI":                 func(c *Config) { c.Servers = []string{"192.0.2.1"} },
		"UDP to the server":              func(c *Config) { c.Servers = []string{"turn:192.0.2.1?transport=tcp"} },
		"nobody could come":              func(c *Config) { c.Origins = nil },
		"is not an origin":               func(c *Config) { c.Origins = []string{"https://page.test/"} },
		"a limit is negative":            func(c *Config) { c.Limits.Sessions = -1 },
		"\"page.test\" is not an origin": func(c *Config) { c.Origins = []string{"page.test"} },
	} {
		cfg := good()
		change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want one with %q", err, want)
		}
	}
}
