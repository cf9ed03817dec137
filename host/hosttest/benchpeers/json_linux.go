package main

import (
	"encoding/json"
	"os"
)

// writeJSON writes every round and every ratio.
func (b *bench) writeJSON(file string) error {
	type run struct {
		Told   told
		Heard  heard
		PerCPU float64
		Lost   uint64
	}
	var report struct {
		Rounds []map[string]run
		Ratios []value
	}
	report.Ratios = b.values
	for _, round := range b.rounds {
		named := make(map[string]run)
		for name, r := range round {
			named[name] = run{r.Told, r.Heard, r.perCPU(), r.lost()}
		}
		report.Rounds = append(report.Rounds, named)
	}
	out, err := json.MarshalIndent(report, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(out, '\n'), 0o644)
}
