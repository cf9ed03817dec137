//go:build unix

package core

import (
	"errors"
	"time"

	"github.com/turnwasm/turnwasm/host"
)

// RetryAfter is how long the server wants to be left alone from now on.
func RetryAfter(err error, now time.Time) time.Duration {
	if rest, is := errors.AsType[*host.LeftAloneError](err); is {
		return max(0, rest.Until.Sub(now)) // of what it wanted when it said so
	}
	if why, is := errors.AsType[*host.RequestError](err); is {
		return why.RetryAfter
	}
	return 0
}

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
