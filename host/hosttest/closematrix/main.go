// Command closematrix closes a client in every state and under every fault,
// against a simulated server, coturn and pion/turn, on both engines, and asks
// the SERVER what it holds afterwards. Faults are planted by a UDP proxy outside
// the client. Beside it stand the same rows for pion/turn's own client with its
// defaults.
//
//	closematrix [-row TEXT] [-server NAME] [-p 16] [-rewrite]
//
// A cell is the close's outcome and the number of allocations that the server
// still holds, other people's aside. What each cell should be stands in
// expected.txt; a cell that differs is marked, and the exit status is 1. A cell
// leaks when the server holds something although the close said released or
// nothing_to_release; the last line is "leaked N of M".
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
	m := matrix{}
	row := flag.String("row", "", "only rows whose name contains this")
	server := flag.String("server", "", "only this server: simulated, coturn, pion")
	rewrite := flag.Bool("rewrite", false, "write what is found to the file of expectations")
	path := flag.String("expected", "host/hosttest/closematrix/expected.txt", "the file of expectations")
	flag.IntVar(&m.workers, "p", 16, "cells at a time; they mostly wait")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	m.pick(*row, *server)
	want, err := readTable(*path)
	if err == nil || *rewrite {
		err = m.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "closematrix:", err)
		os.Exit(1)
	}
	if *rewrite {
		want = m.table()
		if err := os.WriteFile(*path, []byte(header+want.String()), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "closematrix:", err)
			os.Exit(1)
		}
	}
	if !m.print(os.Stdout, want) {
		os.Exit(1)
	}
}

const header = `# What a close comes to, and what the server holds afterwards (closematrix
# compares; -rewrite writes this file). One cell a column: outcome, allocations.
`

// pick keeps the rows and columns that were asked for.
func (m *matrix) pick(name, server string) {
	for _, r := range rows {
		if strings.Contains(r.name, name) {
			m.rows = append(m.rows, r)
		}
	}
	for _, c := range columns {
		if server == "" || c.server == server {
			m.columns = append(m.columns, c)
		}
	}
}
