// Command turnclient checks a TURN server: it allocates, echoes payloads
// through the relay, closes, and says what came of each. See README.md.
//
// Exit status: 0 = all well, 1 = it failed (and why), 2 = usage.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program. A first SIGINT or SIGTERM ends what it does and releases;
// a second one kills it.
func run(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if err != nil {
		return 2 // the flag package has said why
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	out := newReport(o, stdout, stderr)
	c := checker{options: o, out: out}
	if err := c.check(ctx); err != nil {
		out.failed(err)
	}
	return out.exit()
}
