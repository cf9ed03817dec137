//go:build unix

package core

import (
	"time"

	"github.com/turnwasm/turnwasm/host"
)

// Until is the latest instant to which a server may hold something, by what an
// error and all that it wraps says; zero: nothing is known of that.
func Until(err error) (latest time.Time) {
	later := func(t time.Time) {
		if t.After(latest) {
			latest = t
		}
	}
	switch e := err.(type) {
	case *host.RequestError:
		later(e.Until)
	case *host.CloseError:
		later(e.Closed.Until)
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		later(Until(e.Unwrap()))
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			later(Until(one))
		}
	}
	return latest
}
