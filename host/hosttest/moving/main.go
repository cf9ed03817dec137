// Command moving changes the client's address while payloads go both ways through
// the relay, 100 a second, against a coturn that lets allocations move (RFC 8016),
// and says what was lost and how long it took until payloads arrived again.
//
//	moving [-rate 100] [-seconds 4]
//
// COTURN_NEXT names coturn's program; without it the installed one is used. The
// address changes in two ways: from one loopback address to another, by
// Conn.RebindFrom; and, as root on Linux, by the removal of the client's address
// in a network namespace of its own, which the host notices by itself.
//
// The exit status is 1 when the relayed address changed, when more than a
// second's payloads were lost one way, or when the close left something.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/turnwasm/turnwasm/host"
	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

type options struct {
	program  string
	rate     int
	seconds  int
	isolated bool // we are in a namespace of our own
}

func main() {
	o := options{program: ht.CoturnBinary}
	flag.IntVar(&o.rate, "rate", 100, "payloads a second, each way")
	flag.IntVar(&o.seconds, "seconds", 4, "how long they go on after the change")
	flag.BoolVar(&o.isolated, "isolated", false, "this is a network namespace: remove the client's address in it")
	flag.Parse()
	if o.rate < 1 || o.seconds < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if next := os.Getenv("COTURN_NEXT"); next != "" {
		o.program = next
	}
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "moving:", err)
		os.Exit(1)
	}
}

func (o *options) run(ctx context.Context) error {
	if o.isolated {
		if err := isolate(ctx); err != nil {
			return err
		}
		return o.each(ctx, removal{})
	}
	version, err := exec.CommandContext(ctx, o.program, "--version").Output()
	if err != nil {
		return fmt.Errorf("%s --version: %w (COTURN_NEXT names another one)", o.program, err)
	}
	fmt.Printf("coturn: %s, %s\n", lastLine(version), o.program)
	if err := o.each(ctx, rebinding{}); err != nil {
		return err
	}
	return o.isolate(ctx)
}

// isolate runs this program again in a network namespace of its own.
func (o *options) isolate(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := exec.CommandContext(ctx, "unshare", "-n", "true").Run(); err != nil {
		fmt.Println("not run: the removal of the client's address: no network namespace of our own:", err)
		return nil
	}
	cmd := exec.CommandContext(ctx, "unshare", "-n", self, "-isolated", fmt.Sprintf("-rate=%d", o.rate), fmt.Sprintf("-seconds=%d", o.seconds))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// each does it with both engines.
func (o *options) each(ctx context.Context, w way) (all error) {
	for _, e := range []host.Engine{host.Wasm, host.Native} {
		ctx, cancel := context.WithTimeout(ctx, time.Duration(o.seconds)*time.Second+30*time.Second)
		if err := o.play(ctx, w, e); err != nil {
			all = errors.Join(all, fmt.Errorf("%s, %s: %w", w, e, err))
		}
		cancel()
	}
	return all
}
