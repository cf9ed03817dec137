package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// host is one of those that we play with.
type host struct {
	name   string
	needs  []string // what is installed, as commands that succeed
	build  string   // a shell command
	run    []string // the quickstart's command line, in front of the subcommand
	echoes int      // at most so many; 0 = as many as asked for
	inside bool     // the module is inside: no transcripts, and none is given to it
}

var hosts = []host{
	{
		name: "c (wazero inside)", needs: []string{"gcc --version"}, inside: true,
		build: "make --no-print-directory capi-examples", run: []string{"host/capi/build/quickstart"},
	},
	{
		name: "python (ctypes, wazero inside)", needs: []string{"gcc --version", "python3 --version"}, inside: true,
		build: "make --no-print-directory capi", run: []string{"python3", "host/capi/examples/python/quickstart.py"},
	},
	{
		name: "python (wasmtime)", needs: []string{"python3 -m venv --help"},
		build: "cd examples/python && python3 -m venv build/venv && build/venv/bin/python -m pip install -q -r requirements.txt && build/venv/bin/python -m unittest -q",
		run:   []string{"examples/python/build/venv/bin/python", "examples/python/quickstart.py"},
	},
	{
		name: "rust (wasmtime)", needs: []string{"sh .ci/cargo --version"},
		build: "cd examples/rust && sh ../../.ci/cargo build --release --locked --quiet && sh ../../.ci/cargo test --release --locked --quiet",
		run:   []string{"examples/rust/target/release/quickstart"},
	},
	{
		name: "jvm (chicory)", needs: []string{"javac --version", "mvn --version"}, echoes: 200,
		build: "cd examples/jvm && mvn -q -B package", run: []string{"java", "-jar", "examples/jvm/target/quickstart.jar"},
	},
}

// missing says what of a toolchain is not there.
func (h *host) missing(ctx context.Context) string {
	for _, need := range h.needs {
		if out, err := shell(ctx, need); err != nil {
			return fmt.Sprintf("%s: %v %s", need, err, firstLine(out))
		}
	}
	return ""
}

// shell runs a command and answers what it printed.
func shell(ctx context.Context, command string) (string, error) {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
