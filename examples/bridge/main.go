// Command bridge lets pages speak TURN: it carries WebTransport sessions to
// listed TURN servers. See README.md.
//
// Exit status: 0 = stopped by a signal, 1 = it failed (and why), 2 = usage.
package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

// run is the program. A first SIGINT or SIGTERM lets the pages release; a
// second one kills it.
func run(args []string, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if err != nil {
		return 2 // what is wrong stands on stderr already
	}
	log := o.logger(stderr)
	slog.SetDefault(log) // quic-go warns of small socket buffers by package log
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	if err := serve(ctx, o, log); err != nil {
		log.Error("failed", "error", err)
		return 1
	}
	return 0
}

func (o *options) logger(w io.Writer) *slog.Logger {
	if o.json {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}
