// Command interop plays each feature of the protocol against real servers, with
// every engine, and prints a table: rows are features, columns a server and a
// client.
//
//	interop [-row TEXT] [-column TEXT] [-p 12] [-js FOLDER] [-json FILE]
//
// A cell is "passed", "limit" (the server's own, one of the limits that limits.go
// lists, each with its reason and with what it looks like) or "-" (it is not for
// that client). Anything else is FAILED, and the exit status is 1. A limit that is
// listed and yet passes is told.
//
// Node, Deno and Bun run the checker of examples/node. COTURN_NEXT names another
// coturn to play against, too.
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
	m := matrix{rows: rows}
	name := flag.String("row", "", "only rows whose name contains this")
	in := flag.String("column", "", "only columns whose name contains this: pion, /wasm, ...")
	file := flag.String("json", "", "write the cells to this `file`")
	flag.StringVar(&m.js, "js", "js", "the `folder` of the npm package, with its development tools installed")
	flag.IntVar(&m.workers, "p", 12, "cells at a time; they mostly wait")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	m.rows = pick(rows, *name, func(r row) string { return r.name })
	well, err := m.show(ctx, *in, *file)
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
	}
	if err != nil || !well {
		os.Exit(1)
	}
}

func (m *matrix) show(ctx context.Context, in, file string) (well bool, err error) {
	all, missing := findColumns(ctx, m.js)
	m.columns = pick(all, in, column.String)
	if err := m.run(ctx); err != nil {
		return false, err
	}
	well = m.print(os.Stdout)
	if os.Getenv(coturnNextVariable) == "" {
		fmt.Printf("not run: %s: %s names no turnserver\n", coturnNext, coturnNextVariable)
	}
	for _, why := range missing {
		fmt.Println("not run:", why)
	}
	if len(missing) > 0 && os.Getenv("CI") == "true" {
		well = false
	}
	if file != "" {
		err = m.writeJSON(file)
	}
	return well, err
}

// pick keeps those whose name contains the text.
func pick[T any](all []T, text string, name func(T) string) (some []T) {
	for _, one := range all {
		if strings.Contains(name(one), text) {
			some = append(some, one)
		}
	}
	return some
}
