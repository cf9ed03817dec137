package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

func TestMain(m *testing.M) {
	if os.Getenv("DEMO_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// demoProcess runs the real program.
func demoProcess(t *testing.T, args ...string) (string, int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = append(os.Environ(), "DEMO_MAIN=1")
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

var story = regexp.MustCompile(`^server +pion/turn on 127\.0\.0\.1:\d+, holds 0 allocations
module +turn\.wasm, \d+ bytes; engine wasm ready in \d+ ms
allocated +127\.0\.0\.1:\d+ for 600 s in [\d.]+ ms; the server holds 1
echoed +by permission: 19 bytes as a Send indication of 56 \(37 of header\), \d+ back, [\d.]+ ms
echoed +by channel: 16 bytes as a ChannelData of 20 \(4 of header\), 20 back, [\d.]+ ms
refreshed +for 600 s
without +a release: port \d+ earns Allocate error 437; the server still holds that allocation
with +our close: released in [\d.]+ ms; the server holds 1: the one left behind above
again +from the same port \d+: 127\.0\.0\.1:\d+, no 437
ok
$`)

func TestDemoTellsTheStory(t *testing.T) {
	t.Parallel()
	out, code := demoProcess(t)
	if code != 0 || !story.MatchString(out) {
		t.Fatalf("exit %d, printed\n%s\nwant\n%s", code, out, story)
	}
}

func TestDemoFailsWhenReleasesAreLost(t *testing.T) {
	t.Parallel()
	out, code := demoProcess(t, "-lose-releases")
	if code != 1 || strings.HasSuffix(out, "ok\n") {
		t.Errorf("exit %d, want 1", code)
	}
	if !strings.Contains(out, "close: unconfirmed") {
		t.Errorf("printed\n%s\nwant it to say that the close is unconfirmed", out)
	}
}

// A step that differs on the wire fails it too: here no refresh gets through.
func TestDemoFailsWhenTheRefreshFails(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	fault := hosttest.First(0, hosttest.IsRefresh, hosttest.Drop)
	err := run(t.Context(), &out, host.Native, fault)
	if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(out.String(), "\nok") {
		t.Fatalf("the demo did not notice: %v\n%s", err, out.String())
	}
}
