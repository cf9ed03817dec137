package main

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// The children of what is tested here are this program too.
func TestMain(m *testing.M) {
	contestants["drops"] = func() contestant { return &spoiler{spoil: func(i int, _ []byte) bool { return i%10 == 0 }} }
	contestants["garbles"] = func() contestant {
		return &spoiler{spoil: func(i int, b []byte) bool { b[len(b)-1] ^= byte(i % 100 / 99); return false }}
	}
	contestants["repeats"] = func() contestant { return &spoiler{repeats: true} }
	if len(os.Args) > 1 && os.Args[1] == "-role" {
		main()
		return
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // each child would linger for a second
	os.Exit(m.Run())
}

// spoiler is a raw socket that does not do what it should, from the hundredth
// packet on.
type spoiler struct {
	raw
	written int
	spoil   func(i int, b []byte) (drop bool)
	repeats bool
}

func (s *spoiler) write(payload []byte) error {
	s.written++
	if s.written > 100 && s.spoil != nil && s.spoil(s.written, payload) {
		return nil
	}
	if s.repeats && s.written > 100 {
		if err := s.raw.write(payload); err != nil {
			return err
		}
	}
	return s.raw.write(payload)
}

func short(s spec) spec {
	s.Warm, s.Measure = 20*time.Millisecond, 50*time.Millisecond
	return s
}

func TestRawContestants(t *testing.T) {
	for name, s := range map[string]spec{
		"runs": runs.by("raw-gso"), "runs, plain": runs.plain().by("raw-gso"), "copies": runs.by("raw-gso-copy"),
		"mixed": mixed.by("raw-gso"), "mixed, plain": mixed.plain().by("raw-gso"),
		"writes": write.by("raw"), "receive runs": coalesced.by("raw-gso"), "receive": coalesced.reading().by("raw"),
		"receive bursts": bursts.by("raw-gso"), "ping-pong": pingpong.by("raw"),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := run(t.Context(), short(s), netip.AddrPort{})
			if err != nil {
				t.Fatal(err)
			}
			if why := r.void(); why != "" {
				t.Errorf("%s: %+v", why, r)
			}
			if r.Told.Packets == 0 || r.sent() != r.arrived() {
				t.Errorf("%d packets, %d sent, %d arrived", r.Told.Packets, r.sent(), r.arrived())
			}
		})
	}
}

// What does not arrive as it was sent must be seen, or the figures mean nothing.
func TestSpoiltRunsAreVoid(t *testing.T) {
	for name, want := range map[string]string{"drops": "% lost", "garbles": "not what was sent", "repeats": "came twice"} {
		t.Run(name, func(t *testing.T) {
			r, err := run(t.Context(), short(write.by(name)), netip.AddrPort{})
			if err != nil {
				t.Fatal(err)
			}
			if got := r.void(); !strings.Contains(got, want) {
				t.Errorf("%q, want %q: %+v", got, want, r)
			}
		})
	}
}

func TestIndicationsVoidARun(t *testing.T) {
	r := &result{spec: &spec{}, Told: told{Packets: 10, Total: 10, CPU: 1}, Heard: heard{Valid: 10}}
	if why := r.void(); why != "" {
		t.Fatal(why)
	}
	r.Heard.Indications = 1
	if why := r.void(); !strings.Contains(why, "indications") {
		t.Errorf("%q", why)
	}
}

func TestAChildThatFailsIsAnError(t *testing.T) {
	_, err := run(t.Context(), short(write.by("nobody")), netip.AddrPort{})
	if err == nil || !strings.Contains(err.Error(), `nobody is called "nobody"`) {
		t.Error(err)
	}
}

// raceDetector: this is a build with it, in which wazero compiles for minutes.
var raceDetector bool

// TestQuick runs everything once, so that it cannot rot. Its figures are worth
// nothing and no bound is asserted.
func TestQuick(t *testing.T) {
	if testing.Short() || raceDetector {
		return // half a minute; the build without the race detector runs it
	}
	var out strings.Builder
	b := &bench{out: &out, count: 1, quick: true}
	if err := b.choose(nil); err != nil {
		t.Fatal(err)
	}
	err := b.run(t.Context())
	t.Log(out.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range ratios {
		if !slices.ContainsFunc(strings.Split(out.String(), "\n"), func(line string) bool {
			return strings.HasPrefix(line, "ratio "+q.name+" ")
		}) {
			t.Errorf("no line for %s", q.name)
		}
	}
}

func TestRatiosNameCells(t *testing.T) {
	for _, q := range ratios {
		for _, name := range []string{q.over, q.under} {
			if q.alone == nil && !slices.ContainsFunc(cells, func(c cell) bool { return c.name == name }) {
				t.Errorf("%s: no cell is called %q", q.name, name)
			}
		}
	}
	b := &bench{}
	if err := b.choose([]string{"rtt-vs-pion-p50", "wasi-imports"}); err != nil || len(b.cells) != 2 || len(b.chosen) != 2 {
		t.Errorf("%d cells, %d ratios: %v", len(b.cells), len(b.chosen), err)
	}
	if b.choose([]string{"no-such"}) == nil {
		t.Error("a name that is not there was taken")
	}
}
