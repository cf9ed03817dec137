package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	ht "github.com/turnwasm/turnwasm/host/hosttest"
)

// print shows the table, what the limits are and what failed, and answers whether
// all is well.
func (m *matrix) print(out io.Writer) bool {
	for _, s := range servers(m.columns) {
		fmt.Fprintf(out, "%s: %s\n", s.name, s.version)
	}
	m.table(out)
	m.told(out)
	count := map[state]int{}
	for i, r := range m.rows {
		for j, col := range m.columns {
			got := m.results[i][j]
			count[got.state]++
			switch {
			case got.state == failed:
				fmt.Fprintf(out, "FAILED: %s, %s: %v\n", r.name, col, got.err)
				wire(out, got.log)
			case got.surprise():
				fmt.Fprintf(out, "PASSED all the same: %s, %s: the limit is listed as %q\n", r.name, col, got.limit.why)
			}
		}
	}
	fmt.Fprintf(out, "%d passed, %d limits of servers, %d failed\n", count[passed], count[limited], count[failed])
	return count[failed] == 0
}

func (m *matrix) table(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 0, ' ', 0)
	fmt.Fprint(w, "feature")
	for _, col := range m.columns {
		fmt.Fprintf(w, "\t | %s", col)
	}
	fmt.Fprintln(w)
	for i, r := range m.rows {
		fmt.Fprint(w, r.name)
		for j := range m.columns {
			fmt.Fprintf(w, "\t | %s", m.results[i][j].state)
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}

// told says of each limit that showed why it is there, once.
func (m *matrix) told(out io.Writer) {
	var seen []*limit
	for i := range m.rows {
		for j := range m.columns {
			got := m.results[i][j]
			if got.state != limited || slices.Contains(seen, got.limit) {
				continue
			}
			seen = append(seen, got.limit)
			fmt.Fprintf(out, "limit: %s, %s: %s\n", got.limit.row, m.columns[j].server.name, got.limit.why)
		}
	}
}

// wire prints what the proxy saw.
func wire(out io.Writer, log []ht.Record) {
	for _, r := range log {
		arrow := "<-"
		if r.ToServer {
			arrow = "->"
		}
		note := ""
		if r.Forged {
			note = " (forged)"
		}
		fmt.Fprintf(out, "  %6.3f s %s %s%s\n", r.At.Sub(log[0].At).Seconds(), arrow, r, note)
	}
}

// writeJSON writes the cells for programs.
func (m *matrix) writeJSON(file string) error {
	type cell struct {
		Feature string `json:"feature"`
		Server  string `json:"server"`
		Version string `json:"version"`
		Client  string `json:"client"`
		State   string `json:"state"`
		Error   string `json:"error,omitempty"`
		Limit   string `json:"limit,omitempty"`
	}
	var all []cell
	for i, r := range m.rows {
		for j, col := range m.columns {
			got := m.results[i][j]
			c := cell{Feature: r.name, Server: col.server.name, Version: col.server.version, Client: col.client, State: strings.ToLower(string(got.state))}
			if got.err != nil {
				c.Error = got.err.Error()
			}
			if got.state == limited {
				c.Limit = got.limit.why
			}
			all = append(all, c)
		}
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
