package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A module whose tests pass, fail, skip, and whose second package does not
// compile: what testsum says of a real `go test -json`.
var badModule = map[string]string{
	"go.mod":            "module example.org/bad\n\ngo 1.26\n",
	"ok/ok_test.go":     "package ok\nimport \"testing\"\nfunc TestGood(t *testing.T) {}\nfunc TestSub(t *testing.T) { t.Run(\"one\", func(t *testing.T) {}) }\n",
	"bad/bad_test.go":   "package bad\nimport \"testing\"\nfunc TestBad(t *testing.T) { t.Error(\"the reason\") }\nfunc TestSkip(t *testing.T) { t.Skip(\"not today\") }\n",
	"die/die_test.go":   "package die\nimport (\"os\"; \"testing\")\nfunc TestDie(t *testing.T) { os.Exit(3) }\n",
	"typo/t_test.go":    "package typo\nimport \"testing\"\nfunc TestTypo(t *testing.T) { nonsense() }\n",
	"init/init_test.go": "package initfails\nimport (\"os\"; \"testing\")\nfunc TestMain(m *testing.M) { os.Exit(1) }\n",
}

func write(t *testing.T, files map[string]string) string {
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// testsum runs the real program and answers what it printed and its exit code.
func testsum(t *testing.T, env string, steps ...string) (string, int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, steps...)
	cmd.Env = append(os.Environ(), "TESTSUM_MAIN=1", env)
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

func TestMain(m *testing.M) {
	if os.Getenv("TESTSUM_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func want(t *testing.T, out, part string) {
	t.Helper()
	if !strings.Contains(out, part) {
		t.Errorf("the output lacks %q:\n%s", part, out)
	}
}

func lastLine(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1]
}

func TestFailuresOfEveryKindCount(t *testing.T) {
	dir := write(t, badModule)
	out, code := testsum(t, "CI=", "cd "+dir+" && go test -json ./...")
	if code != 1 {
		t.Errorf("exit %d, want 1", code)
	}
	// TestGood, TestSub and TestSub/one pass; TestBad, TestDie, the package
	// that does not compile and the one whose TestMain gives up fail.
	if got := lastLine(out); got != "3 passed, 4 failed, 1 skipped" {
		t.Errorf("last line %q:\n%s", got, out)
	}
	want(t, out, "the reason")
	want(t, out, "undefined: nonsense")
	want(t, out, "failed: example.org/bad/bad TestBad")
	want(t, out, "skipped: example.org/bad/bad TestSkip")
}

func TestGreen(t *testing.T) {
	dir := write(t, map[string]string{"go.mod": badModule["go.mod"], "ok/ok_test.go": badModule["ok/ok_test.go"]})
	out, code := testsum(t, "CI=true", "cd "+dir+" && go test -json ./...", "echo hello")
	if got := lastLine(out); code != 0 || got != "4 passed, 0 failed, 0 skipped" {
		t.Errorf("exit %d, last line %q:\n%s", code, got, out)
	}
	want(t, out, "hello\n")
}

func TestASkipFailsInCI(t *testing.T) {
	const skipped = `echo '{"Action":"skip","Package":"p","Test":"T"}'`
	if out, code := testsum(t, "CI=", skipped); code != 0 {
		t.Errorf("exit %d at home, want 0:\n%s", code, out)
	}
	if out, code := testsum(t, "CI=true", skipped); code != 1 {
		t.Errorf("exit %d in CI, want 1:\n%s", code, out)
	}
}

func TestAFailingCommandCounts(t *testing.T) {
	out, code := testsum(t, "CI=", "echo before; exit 4", "true", "no-such-program-at-all")
	if got := lastLine(out); code != 1 || got != "1 passed, 2 failed, 0 skipped" {
		t.Errorf("exit %d, last line %q:\n%s", code, got, out)
	}
	want(t, out, "exit status 4")
}

func TestUsage(t *testing.T) {
	if out, code := testsum(t, "CI="); code != 2 {
		t.Errorf("exit %d without steps, want 2:\n%s", code, out)
	}
}
