package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// printMachine says what the figures were measured on.
func (b *bench) printMachine() {
	var u unix.Utsname
	_ = unix.Uname(&u)
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Fprintf(b.out, "machine: %d cores, Linux %s, %s, load %s\n", runtime.NumCPU(),
		unix.ByteSliceToString(u.Release[:]), runtime.Version(), strings.TrimSpace(string(load)))
	fmt.Fprintf(b.out, "%d rounds; payloads of %d bytes; sockets' buffers %d bytes; figures are packets per CPU-second of the client's process\n\n",
		b.count, payloadSize, socketBuffer)
	fmt.Fprintf(b.out, "%5s  %-34s %12s %9s %12s %7s %10s %6s\n",
		"round", "", "packets/CPU-s", "us CPU", "packets/s", "lost", "mallocs/p", "waits")
}

func (b *bench) printResult(round int, name string, r *result) {
	fmt.Fprintf(b.out, "%5d  %-34s %12.0f %9.3f %12.0f %7d %10.4f %6d  %s\n", round+1, name,
		r.perCPU(), r.microsPerPacket(), r.perSecond(), r.lost(), r.mallocsPerPacket(), r.Told.Waits, r.remark())
}

// remark is what else there is to say of a run.
func (r *result) remark() string {
	var said []string
	if why := r.void(); why != "" {
		said = append(said, why)
	}
	if t := r.Told.Trips; t != nil {
		said = append(said, fmt.Sprintf("trip p50 %.1f us, p99 %.1f us (%.1f with coordinated omission left in)",
			micros(t.P50), micros(t.P99), micros(t.Plain99)))
	}
	if r.Heard.Late > 0 {
		said = append(said, fmt.Sprintf("%d bursts left late", r.Heard.Late))
	}
	if r.Told.Stalls > 0 {
		said = append(said, fmt.Sprintf("stalled %d times", r.Told.Stalls))
	}
	if r.Told.Spun > 0 {
		said = append(said, fmt.Sprintf("without %.1f us a packet of spinning in the gaps", micros(r.Told.Spun)/float64(max(1, r.counted()))))
	}
	return strings.Join(said, "; ")
}

// printTable prints each cell's rounds, their median and their spread.
func (b *bench) printTable() {
	if len(b.cells) == 0 {
		return
	}
	fmt.Fprintf(b.out, "\n%-34s %10s %7s %10s   rounds, packets/CPU-s\n", "median of the rounds", "packets/CPU-s", "spread", "packets/s")
	var spreads []float64
	for _, c := range b.cells {
		var cpu, wall []float64
		for _, round := range b.rounds {
			if r := round[c.name]; r != nil {
				cpu, wall = append(cpu, r.perCPU()), append(wall, r.perSecond())
			}
		}
		fmt.Fprintf(b.out, "%-34s %13.0f %6.0f%% %10.0f   %s\n", c.name, median(cpu), 100*spread(cpu), median(wall), list(cpu))
		spreads = append(spreads, spread(cpu))
	}
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Fprintf(b.out, "noise: the spread (highest less lowest, by median) of a cell is %.0f %% in the median; load %s\n\n",
		100*median(spreads), strings.TrimSpace(string(load)))
}

// remarkCoturn compares the rows through the real server, which cannot keep up
// with either: both wait for it most of the time.
func (b *bench) remarkCoturn() {
	rounds := b.compare(ratio{of: perCPU, over: "through coturn, runs, ours", under: "through coturn, one by one, pion"})
	if len(rounds) > 0 {
		fmt.Fprintf(b.out, "remark: through coturn, ours / pion is %s  [%s]\n", digits(median(rounds)), list(rounds))
	}
}

// list prints values for people.
func list(values []float64) string {
	var out []string
	for _, v := range values {
		out = append(out, digits(v))
	}
	return strings.Join(out, " ")
}
