package main

import (
	"slices"
	"time"
)

// trips are the percentiles of round trips. While one trip is slow no other
// begins, so that a plain percentile leaves out everything that a slow moment
// would have hit ("coordinated omission"). P50 and P99 put it back: a trip of k
// medians counts as k trips, that began a median apart and ended together.
type trips struct {
	P50, P99 time.Duration
	Plain99  time.Duration // without that
}

func newTrips(took []time.Duration) *trips {
	if len(took) == 0 {
		return &trips{}
	}
	slices.Sort(took)
	every := max(percentile(took, 50), time.Microsecond)
	t := &trips{Plain99: percentile(took, 99)}
	for _, d := range took {
		for d -= every; d >= every; d -= every {
			took = append(took, d)
		}
	}
	slices.Sort(took)
	t.P50, t.P99 = percentile(took, 50), percentile(took, 99)
	return t
}

func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}
