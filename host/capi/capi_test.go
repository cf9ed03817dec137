//go:build cgo && linux

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/turnwasm/turnwasm/host/hosttest"
)

const root = "../.."

// build makes the library and its examples in C, once.
func build(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it builds the library: not with -short")
	}
	cmd := exec.Command("make", "--no-print-directory", "capi-examples")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GORACE=", "MAKEFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make capi-examples: %v\n%s", err, out)
	}
}

// Eight threads of C's at once, under ThreadSanitizer.
func TestThreads(t *testing.T) {
	build(t)
	echo := hosttest.NeedEcho(t)
	for _, server := range []hosttest.Server{hosttest.NeedPion(t, hosttest.PionOptions{}), hosttest.NeedCoturn(t)} {
		cmd := exec.CommandContext(t.Context(), "build/threads", "turn:"+server.Addr().String(), hosttest.Username, hosttest.Password, echo.Addr().String())
		cmd.Env = append(os.Environ(), "TSAN_OPTIONS=halt_on_error=1")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), `"type":"threads"`) {
			t.Errorf("%s: %v\n%s", server.Name(), err, out)
		}
		if held, err := hosttest.AwaitHeld(t.Context(), server, 0); err != nil || held != 0 {
			t.Errorf("%s holds %d, %v", server.Name(), held, err)
		}
	}
}

// LeakSanitizer finds what is planted, and nothing else.
func TestLeakSanitizer(t *testing.T) {
	build(t)
	for _, planted := range []bool{false, true} {
		cmd := exec.CommandContext(t.Context(), "build/quickstart", "bad-input")
		if planted {
			cmd.Env = append(os.Environ(), "PLANT_A_LEAK=1")
		}
		out, err := cmd.CombinedOutput()
		if found := strings.Contains(string(out), "LeakSanitizer: detected memory leaks"); found != planted || (err != nil) != planted {
			t.Errorf("planted: %v, found: %v, %v\n%s", planted, found, err, out)
		}
	}
}
