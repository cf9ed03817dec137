package main

import (
	"context"
	"strings"

	"github.com/turnwasm/turnwasm/host"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// row is a feature. Without use, instead and refused it is an allocation, an echo
// through it, and its release.
type row struct {
	name string
	only string // the kind of server that can be made to do it; empty: all
	left int    // how many allocations the server holds at the end, or whatever

	// What the server is made with.
	flags []string // coturn's
	pion  ht.PionOptions
	// prepare comes before the server starts, for what is not known beforehand.
	prepare func(ctx context.Context, c *cell) error
	// fault is what the proxy does.
	fault func(c *cell) ht.Fault

	// What the client is made with: a URL that is not the proxy's, options.
	url    func(c *cell) string
	change func(cfg *host.Config)

	refused int                                      // Dial fails with this code
	use     func(ctx context.Context, c *cell) error // with the allocation
	instead func(ctx context.Context, c *cell) error // of all that

	js        bool     // whether the runtimes play it
	arguments []string // the checker's, then
}

// whatever: it is not known how many are left.
const whatever = -1

// rows are the features. What is new is added to one of these lists, or as one.
var rows = join(transportRows, authenticationRows, familyRows, allocationRows, dataRows, tcpRows, redirectRows, mobilityRows, nonceRows, errorRows)

func join(lists ...[]row) (all []row) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// has says whether that server has the means.
func (r *row) has(s server) bool { return strings.HasPrefix(s.name, r.only) }
