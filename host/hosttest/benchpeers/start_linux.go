package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

// coldStart compiles and instantiates the module and the floor in turns, each
// in a process of its own and without a cache, as package host compiles.
func coldStart(ctx context.Context, b *bench) (out []float64, err error) {
	m, err := b.facts(ctx)
	if err != nil {
		return nil, err
	}
	file := m.floorFile + ".turn"
	if err := os.WriteFile(file, m.module, 0o600); err != nil {
		return nil, err
	}
	for range b.times(3) {
		ours, err := cold(ctx, file)
		if err != nil {
			return nil, err
		}
		floor, err := cold(ctx, m.floorFile)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(b.out, "compile and instantiate: turn.wasm %.0f ms, floor %.0f ms\n", milliseconds(ours), milliseconds(floor))
		out = append(out, float64(ours)/float64(floor))
	}
	return out, nil
}

// times is how often to repeat what is measured by itself.
func (b *bench) times(n int) int {
	if b.quick {
		return 1
	}
	return n
}

func cold(ctx context.Context, file string) (took time.Duration, err error) {
	c, err := startChild(ctx, "cold", &spec{File: file}, nil)
	if err != nil {
		return 0, err
	}
	if err := c.answer(&took); err != nil {
		return 0, err
	}
	return took, c.end()
}

// runCold is that process.
func runCold(ctx context.Context, s *spec) error {
	module, err := os.ReadFile(s.File)
	if err != nil {
		return err
	}
	start := time.Now()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler())
	defer rt.Close(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, rt); err != nil {
		return err
	}
	compiled, err := rt.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), module)
	if err != nil {
		return err
	}
	config := wazero.NewModuleConfig().WithStartFunctions("_initialize").WithRandSource(rand.Reader)
	if _, err := rt.InstantiateModule(ctx, compiled, config); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(time.Since(start))
}

// warmStart is the time from the start of a process to the first Allocate on
// the wire, in ms. The first process fills the compile cache and does not count.
func warmStart(ctx context.Context, b *bench) (out []float64, err error) {
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	defer server.Close()
	for i := range 1 + b.times(9) {
		took, err := warm(ctx, server)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, milliseconds(took))
		}
	}
	return out, nil
}

func warm(ctx context.Context, server *net.UDPConn) (time.Duration, error) {
	at := server.LocalAddr().(*net.UDPAddr).AddrPort()
	start := time.Now()
	c, err := startChild(ctx, "warm", &spec{Server: netip.AddrPortFrom(at.Addr().Unmap(), at.Port())}, nil)
	if err != nil {
		return 0, err
	}
	defer c.cancel()
	if err := server.SetReadDeadline(start.Add(childLives)); err != nil {
		return 0, err
	}
	buf := make([]byte, 2048)
	for {
		n, err := server.Read(buf)
		if err != nil {
			_, said := c.line()
			return 0, fmt.Errorf("no Allocate came: %w: %w", err, said)
		}
		if m := hosttest.Decode(buf[:n]); m.Type == hosttest.AllocateRequest {
			took := time.Since(start)
			c.cancel() // nobody will answer it
			_ = c.end()
			return took, nil
		}
	}
}

// runWarm is that process.
func runWarm(s *spec) error {
	rt, err := host.New(context.Background())
	if err != nil {
		return err
	}
	_, err = rt.Dial(context.Background(), host.Config{
		URL: "turn:" + s.Server.String(), Username: hosttest.Username, Password: hosttest.Password,
	})
	return err
}
