package client

import "testing"

func TestEveryNameIsThere(t *testing.T) {
	seen := map[string]bool{}
	name := func(s string) {
		t.Helper()
		if s == "" || s == "unknown" || seen[s] {
			t.Errorf("%q is no name of its own", s)
		}
		seen[s] = true
	}
	for k := Allocated; k <= RefreshFailed; k++ {
		name(k.String())
	}
	for o := Released; o <= Abandoned; o++ {
		name(o.String())
	}
	for p := PhaseNew; p <= PhaseClosed; p++ {
		name(p.String())
	}
	for p := range purposeCount {
		if p.String() == "" {
			t.Errorf("purpose %d has no name", p)
		}
	}
	for _, s := range []string{EventKind(999).String(), Outcome(99).String(), Phase(99).String()} {
		if s != "unknown" {
			t.Errorf("what is no value is called %q", s)
		}
	}
}
