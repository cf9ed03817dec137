package bridge

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// origins is the list of pages that may open a session.
type origins struct {
	any, none bool
	list      map[string]bool
}

func newOrigins(list []string) (*origins, error) {
	o := &origins{list: map[string]bool{}}
	for _, raw := range list {
		switch raw {
		case "*":
			o.any = true
		case "none":
			o.none = true
		default:
			u, err := url.Parse(raw)
			if err != nil || u.Scheme == "" || u.Host == "" || raw != u.Scheme+"://"+u.Host {
				return nil, fmt.Errorf("bridge: %q is not an origin: want https://HOST[:PORT], none or *", raw)
			}
			o.list[strings.ToLower(raw)] = true
		}
	}
	if len(list) == 0 {
		return nil, errors.New("bridge: no origin is allowed: nobody could come")
	}
	return o, nil
}

// allow: the Origin is compared whole; more than one is nobody's.
func (o *origins) allow(r *http.Request) bool {
	sent := r.Header.Values("Origin")
	switch {
	case o.any:
		return true
	case len(sent) == 0:
		return o.none
	}
	return len(sent) == 1 && o.list[strings.ToLower(sent[0])]
}
