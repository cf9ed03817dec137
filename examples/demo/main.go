// Command demo tells the project's story on loopback in under a minute: see
// README.md beside it. Every line is computed from the wire, which a proxy
// between client and server reads, and from the server's own count. The last
// line is ok; when any step differs it says which, and the exit status is 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/turnwasm/turnwasm/host"
	"github.com/turnwasm/turnwasm/host/hosttest"
)

func main() {
	engine := flag.String("engine", "wasm", "wasm or native")
	lose := flag.Bool("lose-releases", false, "lose every release on the way: the demo has to fail")
	flag.Parse()
	if engines[*engine] == 0 || flag.NArg() != 0 {
		flag.Usage()
		os.Exit(2)
	}
	fault := hosttest.Fault(hosttest.Pass)
	if *lose {
		fault = hosttest.First(0, hosttest.IsRelease, hosttest.Drop)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := run(ctx, os.Stdout, engines[*engine], fault); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		cancel()
		stop()
		os.Exit(1)
	}
}

var engines = map[string]host.Engine{"wasm": host.Wasm, "native": host.Native}

// run tells the story to out. The fault is what happens to the datagrams.
func run(ctx context.Context, out io.Writer, engine host.Engine, fault hosttest.Fault) (err error) {
	d := &demo{ctx: ctx, out: out}
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := d.start(engine, fault); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		d.allocate, d.echoByPermission, d.echoByChannel, d.refresh, d.withoutRelease, d.withRelease, d.allocateAgain,
	} {
		if err := d.play(step); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(out, "ok")
	return err
}
