package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

// result is what became of a host.
type result struct {
	Host         string   `json:"host"`
	BuildSeconds float64  `json:"build_seconds"`
	ColdMS       float64  `json:"cold_ms"` // to the first allocation, of the runs the longest
	WarmMS       float64  `json:"warm_ms"`
	ResidentKB   float64  `json:"rss_kb"`
	Microseconds float64  `json:"us_per_packet"`
	Scripts      int      `json:"scripts"`
	Leaks        line     `json:"leaks"`
	BadInputs    int      `json:"bad_inputs"`
	Failures     []string `json:"failures,omitempty"`
}

func (r *result) fail(what string, err error) {
	if err != nil {
		r.Failures = append(r.Failures, fmt.Sprintf("%s: %v", what, err))
	}
}

func (r *result) well() bool { return len(r.Failures) == 0 }

// figures of another check: the worse ones stay.
func (r *result) figures(l line) {
	r.ColdMS = max(r.ColdMS, l.number("cold_ms"))
	r.WarmMS = max(r.WarmMS, l.number("warm_ms"))
	r.ResidentKB = max(r.ResidentKB, l.number("rss_kb"))
	r.Microseconds = max(r.Microseconds, l.number("us_per_packet"))
}

func (r *result) say(out io.Writer) {
	for _, why := range r.Failures {
		fmt.Fprintf(out, "FAILED: %s: %s\n", r.Host, strings.TrimSpace(why))
	}
}

func printTable(out io.Writer, results []*result) {
	w := tabwriter.NewWriter(out, 0, 0, 0, ' ', 0)
	fmt.Fprintln(w, "host\t | coturn, pion\t | transcripts\t | leaks\t | bad input\t | cold ms\t | warm ms\t | RSS MiB\t | CPU us/packet\t | build s")
	for _, r := range results {
		scripts := "-"
		if r.Scripts > 0 {
			scripts = fmt.Sprint(r.Scripts)
		}
		fmt.Fprintf(w, "%s\t | %s\t | %s\t | %s\t | %d\t | %.0f\t | %.1f\t | %.0f\t | %.1f\t | %.0f\n",
			r.Host, r.verdict("check"), scripts, r.verdict("leaks"), r.BadInputs, r.ColdMS, r.WarmMS, r.ResidentKB/1024, r.Microseconds, r.BuildSeconds)
	}
	w.Flush()
}

// verdict of the failures that begin with the word.
func (r *result) verdict(word string) string {
	for _, why := range r.Failures {
		if strings.HasPrefix(why, word) || strings.HasPrefix(why, "build") {
			return "FAILED"
		}
	}
	return "passed"
}

func writeJSON(file string, results []*result) error {
	text, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
