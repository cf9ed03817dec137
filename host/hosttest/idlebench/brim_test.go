package idlebench_test

import (
	"fmt"
	"testing"

	"github.com/turnwasm/turnwasm/host/hosttest/idlebench"
)

// An allocation that fails is a trap, which takes every client of the instance
// with it. So turn_open refuses before, and whoever it took gets on to the end.
func TestNobodyIsLostAtTheMemoryBound(t *testing.T) {
	if testing.Short() {
		t.Skip("some thousands of clients")
	}
	const limit = 16 << 20
	m, err := idlebench.Compile(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close(t.Context())
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprintf("late=%v", late), func(t *testing.T) {
			full, err := idlebench.Brim(t.Context(), m, 50_000, late)
			t.Logf("%+v", full)
			if err != nil {
				t.Error(err)
			}
		})
	}
}
