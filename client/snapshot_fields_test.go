package client

import (
	"reflect"
	"testing"
)

// A field that a struct gains and the snapshot forgets shows here. Those that
// are not kept are counted, too: what exists outside of PhaseAllocated alone, on
// streams, during a move, before the drain, or is made anew.
func TestI12EveryFieldIsKept(t *testing.T) {
	for _, s := range []struct {
		of    any
		known int
	}{
		{Client{}, 38}, {settings{}, 20}, {options{}, 9}, {auth{}, 6}, {identity{}, 3}, {credential{}, 4}, {modern{}, 4}, {terms{}, 3},
		{lease{}, 6}, {allocation{}, 5}, {mobility{}, 6}, {permission{}, 8}, {channel{}, 10}, {queued{}, 2}, {transaction{}, 18},
		{forgone{}, 3}, {verdict{}, 7}, {roundTrip{}, 2}, {Stats{}, len(new(Stats).counters())},
	} {
		if n := reflect.TypeOf(s.of).NumField(); n != s.known {
			t.Errorf("%T has %d fields; that %d are kept, or need not be, is known: see its archive", s.of, n, s.known)
		}
	}
}
