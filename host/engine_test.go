package host

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/turnwasm/turnwasm/wasm"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/abitest"
)

// compiled is the module, compiled once for all tests.
var compiled = sync.OnceValues(func() (*wazeroEngines, error) {
	return newWazeroEngines(context.Background(), wazeroOptions{module: wasm.Module(), rand: rand.Reader})
})

func wazeroForTest(t testing.TB) *wazeroEngines {
	t.Helper()
	f, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// engineKinds runs a test with both engines.
func engineKinds(t *testing.T, test func(t *testing.T, f engineFactory)) {
	t.Helper()
	t.Run("native", func(t *testing.T) { test(t, nativeEngines{rand.Reader}) })
	t.Run("wasm", func(t *testing.T) { test(t, wazeroForTest(t)) })
}

func newEngine(t testing.TB, f engineFactory) engine {
	t.Helper()
	e, err := f.instantiate(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.shut(context.Background()) })
	return e
}

// exports turns an engine's errors, which no test of a healthy one expects,
// into failures.
type exports struct {
	e engine
	t testing.TB
}

func (x exports) must(n int32, err error) int32 {
	if err != nil {
		x.t.Helper()
		x.t.Fatal(err)
	}
	return n
}

func (x exports) Open(now float64, n int32) int32       { return x.must(x.e.open(now, n)) }
func (x exports) Command(now float64, h, n int32) int32 { return x.must(x.e.command(now, h, n)) }
func (x exports) Flow(now float64, h, flow, what int32) int32 {
	return x.must(x.e.flow(now, h, flow, what))
}
func (x exports) Peer(h, n int32) int32              { return x.must(x.e.peer(h, n)) }
func (x exports) Input(now float64, n int32) int32   { return x.must(x.e.input(now, n)) }
func (x exports) Send(now float64, n int32) int32    { return x.must(x.e.send(now, n)) }
func (x exports) Poll() int32                        { return x.must(x.e.poll()) }
func (x exports) State(h int32) int32                { return x.must(x.e.state(h)) }
func (x exports) Stats(h int32) int32                { return x.must(x.e.stats(h)) }
func (x exports) Free(h int32) int32                 { return x.must(x.e.free(h)) }
func (x exports) Parting(now float64, h int32) int32 { return x.must(x.e.parting(now, h)) }
func (x exports) Snapshot(now float64, h, offset, size int32) int32 {
	return x.must(x.e.snapshot(now, h, offset, size))
}
func (x exports) Restore(now, elapsed float64, offset, n int32) int32 {
	return x.must(x.e.restore(now, elapsed, offset, n))
}
func (x exports) Close(now float64, h int32, linger float64) int32 {
	return x.must(x.e.close(now, h, linger))
}

func (x exports) Tick(now float64) float64 {
	next, err := x.e.tick(now)
	x.must(0, err)
	return next
}

func worldOf(t testing.TB, f engineFactory) (*abitest.World, engine) {
	t.Helper()
	e := newEngine(t, f)
	return abitest.NewWorld(t, exports{e, t}, e.region()), e
}

func TestEngineRefusesOtherModules(t *testing.T) {
	for want, rename := range map[string]*strings.Replacer{
		"the module has no export turn_input(f64, i32) i32":               strings.NewReplacer("turn_input", "turn_1nput"),
		"the module's export is turn_poll(f64) f64, want turn_poll() i32": strings.NewReplacer("turn_poll", "turn_tick", "turn_tick", "turn_poll"),
	} {
		// The interpreter reads a module faster than the compiler compiles it.
		rt := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
		defer rt.Close(context.Background())
		module, err := rt.CompileModule(t.Context(), []byte(rename.Replace(string(wasm.Module()))))
		if err != nil {
			t.Fatal(err)
		}
		if err := checkExports(module.ExportedFunctions()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestEngineMemoryStaysWhileItGrows(t *testing.T) {
	w, e := worldOf(t, wazeroForTest(t))
	before, address := e.memory(), &e.region()[0]
	for range 20000 {
		cfg := abitest.Config()
		w.MustOpen(cfg, nil)
	}
	if e.memory() <= before {
		t.Fatalf("20000 clients took no memory: %d", e.memory())
	}
	if &e.region()[0] != address || !w.Header.Pending() && w.Header.Clients() != 20000 {
		t.Fatalf("the region is not what it was: %d clients", w.Header.Clients())
	}
	mem, _ := e.(*wazeroEngine).module.Memory().Read(0, 1<<20)
	if memoryStays && len(mem) == 1<<20 {
		t.Logf("%d clients, %d KiB of linear memory, %d bytes a client", 20000, e.memory()>>10, (e.memory()-before)/20000)
	}
}

// Memory that runs out would be a trap. An instance that is short of it refuses
// clients and payloads that would wait, and can still close what it has.
func TestEngineMemoryLimit(t *testing.T) {
	const limit = 40 << 20
	f, err := newWazeroEngines(context.Background(), wazeroOptions{module: wasm.Module(), rand: rand.Reader, memoryLimit: limit})
	if err != nil {
		t.Fatal(err)
	}
	defer f.shut(context.Background())
	w, e := worldOf(t, f)
	var clients []int32
	for range 200 {
		h := w.Join(1)
		w.Order(h, abi.Command{Cmd: abi.CmdAllocate})
		clients = append(clients, h)
	}
	refused := 0
	for i := range 20000 {
		// 1200 bytes to one of 100 peers whose permission is never answered.
		d := abi.Desc{Client: clients[i%200], Kind: abi.KindSend, Offset: w.Layout.Arena.Offset + 64, Length: 1200, Count: 1}
		d.Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(i / 200)}), 9)
		d.Store(w.Layout.In.At(w.Region, 0))
		w.Drain(w.Read(w.Send(abi.MS(w.Now), 1)))
		switch code := w.Layout.In.At(w.Region, 0).Status(); code {
		case abi.CodeOK:
		case abi.CodeLimit:
			refused++
		default:
			t.Fatalf("payload %d: %v", i, code.Err())
		}
	}
	cfg := abitest.Config()
	if code := abi.Code(w.Open(0, w.Control(abi.AppendConfig(nil, &cfg, nil)))); refused == 0 || code != abi.CodeLimit {
		t.Fatalf("%d of 20000 payloads of 1200 bytes refused, a client: %d %s", refused, code, w.ErrorText())
	}
	for _, h := range clients {
		w.Leave(h, 0)
		if n := w.Servers[h].Allocations(); n != 0 {
			t.Fatalf("client %d left %d allocations", h, n)
		}
	}
	t.Logf("%d payloads refused, %d KiB of linear memory", refused, e.memory()>>10)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestEngineWithoutEntropyAnswersACode(t *testing.T) {
	e := newEngine(t, nativeEngines{broken{}})
	w := abitest.NewWorld(t, exports{e, t}, e.region())
	cfg := abitest.Config()
	if code := abi.Code(w.Open(0, w.Control(abi.AppendConfig(nil, &cfg, nil)))); code != abi.CodeEntropy {
		t.Fatalf("code %d", code)
	}
}

func TestEngineIsPoisonedByATrap(t *testing.T) {
	e := &nativeEngine{shared: nil, turn: nil} // every call dereferences nil
	_, err := e.poll()
	var trap *trapError
	if !errors.As(err, &trap) || trap.export != "turn_poll" {
		t.Fatalf("got %v", err)
	}
	if _, again := e.tick(0); again != err {
		t.Fatalf("the next call answers %v", again)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var x tail
	var all strings.Builder
	for i := range 3000 {
		s := strings.Repeat(string(rune('a'+i%26)), i%97)
		all.WriteString(s)
		if n, err := x.Write([]byte(s)); n != len(s) || err != nil {
			t.Fatal(n, err)
		}
		want := all.String()
		if want = want[max(0, len(want)-4096):]; x.String() != want {
			t.Fatalf("after %d bytes the tail differs", all.Len())
		}
	}
	if x.Write(make([]byte, 10000)); x.String() != strings.Repeat("\x00", 4096) {
		t.Fatal("after a long write")
	}
}
