package bridge

import (
	"net/http"
	"testing"
)

func TestOrigins(t *testing.T) {
	for name, c := range map[string]struct {
		list []string
		sent []string
		want bool
	}{
		"listed":            {[]string{"https://a.test"}, []string{"https://a.test"}, true},
		"case":              {[]string{"https://A.test"}, []string{"https://a.test"}, true},
		"with a port":       {[]string{"https://a.test:8443"}, []string{"https://a.test:8443"}, true},
		"without its port":  {[]string{"https://a.test:8443"}, []string{"https://a.test"}, false},
		"no origin":         {[]string{"https://a.test"}, nil, false},
		"no origin, none":   {[]string{"none"}, nil, true},
		"an origin, none":   {[]string{"none"}, []string{"https://a.test"}, false},
		"the word none":     {[]string{"none"}, []string{"none"}, false},
		"everybody":         {[]string{"*"}, []string{"https://evil.test"}, true},
		"everybody, no one": {[]string{"*"}, nil, true},
		"the word *":        {[]string{"https://a.test"}, []string{"*"}, false},
		"null":              {[]string{"https://a.test", "none"}, []string{"null"}, false},
	} {
		o, err := newOrigins(c.list)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.allow(&http.Request{Header: http.Header{"Origin": c.sent}}); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
