package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/turnwasm/turnwasm/host"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// The servers, by the names that limits have for them.
const (
	coturn     = "coturn"
	coturnNext = "coturn-next"
	pion       = "pion"
)

// coturnNextVariable is where another coturn stands.
const coturnNextVariable = "COTURN_NEXT"

// server is one of the programs that we play against.
type server struct {
	name    string
	program string // coturn's; pion runs in this process
	version string
}

// column is a server and a client: an engine of package host, or a runtime that
// runs the checker of examples/node.
type column struct {
	server server
	client string
	engine host.Engine // 0: a runtime
	run    []string    // the runtime's command line, in front of the checker
}

func (c column) String() string { return c.server.name + "/" + c.client }

// findColumns looks for what is installed. missing says what is not, and so is
// not in the table.
func findColumns(ctx context.Context, js string) (columns []column, missing []string) {
	servers, missing := findServers(ctx)
	runtimes, absent := findRuntimes(js)
	for _, s := range servers {
		columns = append(columns, column{s, "wasm", host.Wasm, nil}, column{s, "native", host.Native, nil})
		for _, r := range runtimes {
			columns = append(columns, column{server: s, client: r.name, run: r.run})
		}
	}
	return columns, append(missing, absent...)
}

// findServers: a coturn of another version is nobody's duty.
func findServers(ctx context.Context) (servers []server, missing []string) {
	if version, err := coturnVersion(ctx, ht.CoturnBinary); err == nil {
		servers = append(servers, server{coturn, ht.CoturnBinary, version})
	} else {
		missing = append(missing, "coturn: "+err.Error())
	}
	servers = append(servers, server{pion, "", pionVersion()})
	if program := os.Getenv(coturnNextVariable); program == "" {
		return servers, missing
	} else if version, err := coturnVersion(ctx, program); err == nil {
		servers = append(servers, server{coturnNext, program, version})
	} else {
		missing = append(missing, coturnNext+": "+err.Error())
	}
	return servers, missing
}

func coturnVersion(ctx context.Context, program string) (string, error) {
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", program, err)
	}
	lines := regexp.MustCompile(`(?m)^(?:Coturn-)?\d+\.\d+\S*`).FindAllString(string(out), -1)
	if len(lines) == 0 {
		return "", fmt.Errorf("%s says no version: %q", program, out)
	}
	return lines[len(lines)-1], nil
}

func pionVersion() string {
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if strings.HasPrefix(m.Path, "github.com/pion/turn/") {
			return m.Version
		}
	}
	return "unknown"
}

// jsRuntime is a runtime that runs the checker.
type jsRuntime struct {
	name string
	run  []string
}

// checker is the program that the runtimes run, beside the npm package.
const checker = "../examples/node/turnclient.mjs"

func findRuntimes(js string) (found []jsRuntime, missing []string) {
	if err := linkPackage(js); err != nil {
		return nil, []string{"Node, Deno, Bun: " + err.Error()}
	}
	tool := func(name string) string { return filepath.Join(js, "node_modules", ".bin", name) }
	for _, r := range []jsRuntime{
		{"node", []string{"node"}}, {"deno", []string{tool("deno"), "run", "-A", "--quiet"}}, {"bun", []string{tool("bun")}},
	} {
		if path, err := exec.LookPath(r.run[0]); err != nil {
			missing = append(missing, r.name+": "+err.Error())
		} else {
			r.run = append(append([]string{path}, r.run[1:]...), filepath.Join(js, checker))
			found = append(found, r)
		}
	}
	return found, missing
}

// linkPackage does what `npm install` does in examples/node.
func linkPackage(js string) error {
	for _, needed := range []string{"package.json", "turn.wasm"} {
		if _, err := os.Stat(filepath.Join(js, needed)); err != nil {
			return fmt.Errorf("%w (make interop copies it)", err)
		}
	}
	modules := filepath.Join(js, filepath.Dir(checker), "node_modules")
	link := filepath.Join(modules, "turnwasm")
	if _, err := os.Stat(link); err == nil {
		return nil
	}
	if err := os.MkdirAll(modules, 0o755); err != nil {
		return err
	}
	target, err := filepath.Abs(js)
	if err != nil {
		return err
	}
	return os.Symlink(target, link)
}

// servers are those of the columns, each once.
func servers(columns []column) (list []server) {
	for _, c := range columns {
		if !slices.Contains(list, c.server) {
			list = append(list, c.server)
		}
	}
	return list
}
