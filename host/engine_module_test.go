package host

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/abitest"
)

// The module under wazero and the native code answer the same bytes to the same
// calls.
func TestEnginesAnswerTheSameBytes(t *testing.T) {
	native, _ := worldOf(t, nativeEngines{rand.Reader})
	module, _ := worldOf(t, wazeroForTest(t))
	abitest.Scenario(native)
	abitest.Scenario(module)
	if native.Sum() != module.Sum() {
		t.Fatalf("native %s, module %s", native.Sum(), module.Sum())
	}
}

func TestEngineSurvivesHostileCalls(t *testing.T) {
	w, _ := worldOf(t, wazeroForTest(t))
	abitest.Hostile(w)
}

// A13: after turn_free neither the password nor a key is anywhere in linear
// memory.
func TestSecretsAreGoneAfterFree(t *testing.T) {
	secretsAreGone(t, turntest.ServerConfig{}, turntest.LongTermKey)
}

// A13 where the server lists password algorithms (A2).
func TestSHA256SecretsAreGoneAfterFree(t *testing.T) {
	secretsAreGone(t, turntest.ServerConfig{
		Algorithms: []uint16{turntest.AlgorithmSHA256}, Anonymity: true, NonceLifetime: time.Minute,
	}, turntest.LongTermKey256)
}

func secretsAreGone(t *testing.T, server turntest.ServerConfig, keyOf func(user, realm, password string) []byte) {
	w, e := worldOf(t, wazeroForTest(t))
	memory := func() []byte {
		m := e.(*wazeroEngine).module.Memory()
		all, _ := m.Read(0, m.Size())
		return all
	}
	h := w.Join(1)
	server.Addr, server.Users = abitest.ServerAddr, map[string]string{"alice": abitest.Secret}
	w.Servers[h] = turntest.NewServer(server)
	w.Order(h, abi.Command{Cmd: abi.CmdAllocate})
	w.Order(h, abi.Command{Cmd: abi.CmdBindChannel, Peers: []netip.AddrPort{abitest.Peer}})
	secrets := map[string][]byte{"password": []byte(abitest.Secret), "key": keyOf("alice", "example.org", abitest.Secret)}
	for name, secret := range secrets {
		if !bytes.Contains(memory(), secret) {
			t.Fatalf("the %s of a living client is not found: this test is blind", name)
		}
	}
	const changed = "another long enough secret"
	w.Order(h, abi.Command{Cmd: abi.CmdSetCredentials, Username: []byte("alice"), Password: []byte(changed)})
	w.Servers[h].SetPassword("alice", changed)
	secrets["changed password"], secrets["changed key"] = []byte(changed), keyOf("alice", "example.org", changed)
	w.AdvanceTo(20 * time.Minute) // several Refreshes
	if outcome := w.Leave(h, time.Second); outcome != client.Released {
		t.Fatalf("outcome %v", outcome)
	}
	for name, secret := range secrets {
		if n := bytes.Count(memory(), secret); n > 0 {
			at := bytes.Index(memory(), secret)
			t.Errorf("the %s is still there, %d times, first at %#x", name, n, at)
		}
	}
}

func TestCallsAllocateNothingOnTheHost(t *testing.T) {
	engineKinds(t, func(t *testing.T, f engineFactory) {
		e := newEngine(t, f)
		if n := testing.AllocsPerRun(100, func() { e.input(1, 0); e.poll(); e.tick(1) }); n != 0 {
			t.Fatalf("three calls allocate %v times", n)
		}
	})
}

// trapModule builds the guest with its planted trap.
func trapModule(t *testing.T) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trap.wasm")
	build := exec.Command("go", "run", "github.com/turnwasm/turnwasm/wasm/internal/build", "-tags", "turntrap", "-o", file)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	module, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return module
}

// plantTrap makes the engine's next turn_poll trap. The engine is one of
// trapModule's.
func plantTrap(e engine) {
	w := e.(*wazeroEngine)
	w.fnPoll = w.module.ExportedFunction("turn_trap")
}

func TestTrapIsFinalAndHasItsMessage(t *testing.T) {
	f, err := newWazeroEngines(context.Background(), wazeroOptions{module: trapModule(t), rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer f.shut(context.Background())
	e, other := newEngine(t, f), newEngine(t, f)
	plantTrap(e)
	_, err = e.poll()
	var trap *trapError
	if !errors.As(err, &trap) || trap.export != "turn_poll" || !strings.Contains(err.Error(), "panic: planted trap") {
		t.Fatalf("got %v", err)
	}
	if _, again := e.tick(0); again != err {
		t.Fatalf("a poisoned engine answers %v", again)
	}
	if _, err := other.tick(0); err != nil {
		t.Fatalf("the other instance: %v", err)
	}
	if e.region()[0] != 'T' {
		t.Fatal("the region of a dead instance cannot be read")
	}
}
