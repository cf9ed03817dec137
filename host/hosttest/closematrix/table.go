package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

// table is a head and a line a row, all of the same number of cells; the first
// cell of a line is the row's name.
type table [][]string

const separator = " | "

func (m *matrix) table() table {
	head := []string{"close"}
	for _, c := range m.columns {
		head = append(head, c.String())
	}
	t := table{head}
	for i, r := range m.rows {
		line := []string{r.name}
		for j := range m.columns {
			line = append(line, m.results[i][j].String())
		}
		t = append(t, line)
	}
	return t
}

func (t table) write(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 0, ' ', 0)
	for _, line := range t {
		fmt.Fprintln(w, strings.Join(line, "\t"+separator))
	}
	w.Flush()
}

func (t table) String() string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

// readTable reads what write wrote.
func readTable(path string) (table, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: run it at the top of the source tree", err)
	}
	if err != nil {
		return nil, err
	}
	var t table
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		cells := strings.Split(line, strings.TrimSpace(separator))
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		t = append(t, cells)
	}
	return t, nil
}

// cell finds a cell by its row's and its column's name; "nothing" where there is
// none.
func (t table) cell(row, column string) string {
	for j, name := range t.head() {
		if name != column {
			continue
		}
		for _, line := range t[1:] {
			if line[0] == row && j < len(line) {
				return line[j]
			}
		}
	}
	return "nothing"
}

func (t table) head() []string {
	if len(t) == 0 {
		return nil
	}
	return t[0]
}
