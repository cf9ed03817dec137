package main

import (
	"errors"
	"strings"

	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// state is what a cell says.
type state string

const (
	passed  state = "passed"
	limited state = "limit"
	none    state = "-"
	failed  state = "FAILED"
)

// result is what a cell came to.
type result struct {
	state state
	err   error  // of a failure; of a limit: what it looked like
	limit *limit // the one that is listed, whether it showed or not
	log   []ht.Record
}

// errNoMeans: there is nothing that makes this server do it.
var errNoMeans = errors.New(means)

// judge holds what a cell came to against what is listed.
func judge(row, server string, err error) result {
	l := limitOf(row, server)
	switch {
	case err == nil:
		return result{state: passed, limit: l}
	case l != nil && strings.Contains(err.Error(), l.shows):
		return result{state: limited, err: err, limit: l}
	}
	return result{state: failed, err: err, limit: l}
}

// surprise: it is listed as a limit, and passed.
func (r result) surprise() bool { return r.state == passed && r.limit != nil }
