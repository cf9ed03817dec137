// Command embedding builds each host that is not Go's or JavaScript's, and the C
// library, and plays the same with all of them: allocations and echoes on coturn
// and pion, the transcripts byte for byte, leaks, bad input. It prints a table.
//
//	embedding [-only TEXT] [-n ECHOES] [-json FILE]
//
// Every host has a program, the quickstart, with the subcommands check,
// transcripts, leaks and bad-input; see examples/README.md. It runs in the
// repository's root. A host whose toolchain is not installed is left out, and
// said; with CI=true that is a failure.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	only := flag.String("only", "", "only hosts whose name contains this: c, python, rust, ...")
	file := flag.String("json", "", "write the figures to this `file`")
	echoes := flag.Int("n", 1000, "payloads that go to the peer and back")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	well, err := run(ctx, *only, *file, *echoes)
	if err != nil {
		fmt.Fprintln(os.Stderr, "embedding:", err)
	}
	if err != nil || !well {
		os.Exit(1)
	}
}

func run(ctx context.Context, only, file string, echoes int) (well bool, err error) {
	stage, err := newStage(ctx)
	if err != nil {
		return false, err
	}
	defer stage.close()
	well = true
	var results []*result
	for _, h := range hosts {
		if !strings.Contains(h.name, only) {
			continue
		}
		if why := h.missing(ctx); why != "" {
			fmt.Printf("NOT RUN: %s: %s\n", h.name, why)
			well = well && os.Getenv("CI") != "true"
			continue
		}
		r := stage.play(ctx, h, echoes)
		r.say(os.Stdout)
		results = append(results, r)
		well = well && r.well()
	}
	printTable(os.Stdout, results)
	if file != "" {
		err = writeJSON(file, results)
	}
	return well, err
}
