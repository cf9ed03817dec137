package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/turnwasm/turnwasm/client/turntest"
)

// TestScripts runs every script of the client over both engines: what they send
// and tell must be what the machine itself sends and tells, byte for byte. The
// module is the committed one, so a change of the client wants a new one.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("../client/testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no scripts", err)
	}
	for _, kind := range []Engine{Native, Wasm} {
		t.Run(kind.String(), func(t *testing.T) {
			engines, err := newEngines(t.Context(), &options{engine: kind})
			if err != nil {
				t.Fatal(err)
			}
			defer engines.shut(t.Context())
			for _, file := range files {
				t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { conforms(t, engines, file) })
			}
		})
	}
}

// conforms runs a script on an instance of its own.
func conforms(t *testing.T, engines engineFactory, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	e, err := engines.instantiate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer e.shut(t.Context())
	driver, err := turntest.NewExportsDriver(scripted{t, e}, e.region())
	if err != nil {
		t.Fatal(err)
	}
	got, err := turntest.RunScript(string(text), driver)
	if err != nil {
		t.Fatal(err)
	}
	if diff := turntest.DiffScript(string(text), got); diff != "" {
		t.Error(diff)
	}
}

// scripted are an engine's exports for scripts: a dead engine ends the test.
type scripted struct {
	t *testing.T
	e engine
}

func (s scripted) i32(answer int32, err error) int32 {
	if err != nil {
		s.t.Fatal(err)
	}
	return answer
}

func (s scripted) Open(now float64, n int32) int32          { return s.i32(s.e.open(now, n)) }
func (s scripted) Command(now float64, h, n int32) int32    { return s.i32(s.e.command(now, h, n)) }
func (s scripted) Flow(now float64, h, f, what int32) int32 { return s.i32(s.e.flow(now, h, f, what)) }
func (s scripted) Input(now float64, n int32) int32         { return s.i32(s.e.input(now, n)) }
func (s scripted) Send(now float64, n int32) int32          { return s.i32(s.e.send(now, n)) }
func (s scripted) Poll() int32                              { return s.i32(s.e.poll()) }
func (s scripted) State(h int32) int32                      { return s.i32(s.e.state(h)) }
func (s scripted) Stats(h int32) int32                      { return s.i32(s.e.stats(h)) }
func (s scripted) Parting(now float64, h int32) int32       { return s.i32(s.e.parting(now, h)) }
func (s scripted) Free(h int32) int32                       { return s.i32(s.e.free(h)) }
func (s scripted) Close(now float64, h int32, linger float64) int32 {
	return s.i32(s.e.close(now, h, linger))
}
func (s scripted) Tick(now float64) float64 {
	next, err := s.e.tick(now)
	s.i32(0, err)
	return next
}
