package turntest

import (
	"fmt"
	"io"
	"slices"
	"sort"

	"github.com/turnwasm/turnwasm/client"
)

// Counters say how often each thing happened.
type Counters map[string]int

func (c Counters) add(name string) { c[name]++ }

// Add sums another run's counters up.
func (c Counters) Add(other Counters) {
	for name, n := range other {
		c[name] += n
	}
}

// Expected names everything that a soak must have seen at least once: each
// fault, forgery, command, phase, event, closing state and outcome. A name that
// stays at 0 is something that the simulation claims to test and does not.
func Expected() []string {
	var names []string
	add := func(format string, args ...any) { names = append(names, fmt.Sprintf(format, args...)) }
	for f := Deaf; f < FaultCount; f++ {
		add("fault %v", f)
	}
	for f := Forgery(0); f < ForgeryCount; f++ {
		add("forged %v", f)
	}
	for _, what := range []string{"lost", "duplicated", "reordered", "unreachable", "cut off"} {
		add("network %s", what)
	}
	for _, what := range []string{"NAT rebinding", "network down", "password changed", "peers talk", "peer ICMP"} {
		add("world %s", what)
	}
	for p := client.PhaseNew; p <= client.PhaseClosed; p++ {
		add("phase %v", p)
	}
	for s := closeState(0); s < closeStateCount; s++ {
		add("close %v, linger 0", s)
		add("close %v, linger", s)
	}
	for f := Flavour(0); f < flavourCount; f++ {
		add("flavour %v", f)
	}
	add("held, and said so")
	add("late success in phase %v", client.PhaseNew)
	add("late success in phase %v", client.PhaseClosing)
	add("close refreshing, linger below the RTO")
	add("RTO above the first")
	add("RTO below the first")
	add("world wide")
	add("ten outstanding")
	names = append(names, "world stream", "world stream cut", "world stream broken", "stream refused", "network late", "event StreamBroken")
	add("snapshot taken")
	add("snapshot refused")
	add("snapshot restored later")
	add(staleBlind)
	names = append(names, "world clean", "world open", "trap shipped", "trap lost", "parting looked at")
	return append(names, expectedOfClient()...)
}

func expectedOfClient() []string {
	var names []string
	for o := client.Released; o <= client.Abandoned; o++ {
		names = append(names, "outcome "+o.String())
	}
	later := []client.EventKind{client.FlowNeeded, client.TokenNeeded, client.Redirected}
	for k := client.Allocated; k <= client.RefreshFailed; k++ {
		if !slices.Contains(later, k) {
			names = append(names, "event "+k.String())
		}
	}
	for _, command := range []string{
		"Allocate", "Refresh", "CreatePermission", "RemovePermission", "BindChannel", "UnbindChannel",
		"Send", "SendInPlace", "SetCredentials", "PathError",
	} {
		names = append(names, "command "+command)
	}
	return names
}

// countAll takes over what server, network and attacker counted.
func (w *world) countAll() {
	c := w.report.Counters
	for f, n := range w.server.Faults {
		c["fault "+Fault(f).String()] += n
	}
	for f, n := range w.forger.Sent {
		c["forged "+Forgery(f).String()] += n
	}
	n := w.network
	c["network lost"] += n.Lost
	c["network duplicated"] += n.Duplicated
	c["network reordered"] += n.Reordered
	c["network unreachable"] += n.Unreachable
	c["network cut off"] += n.CutOff
	c["network late"] += n.Late
	if w.plan.stream {
		c.add("world stream")
	}
	c.add("flavour " + w.plan.server.Flavour.String())
	if w.plan.clean {
		c.add("world clean")
	}
	if w.plan.wide {
		c.add("world wide")
	}
	if w.plan.open {
		c.add("world open")
	}
}

// Missing lists what was expected and never happened.
func (c Counters) Missing() []string {
	var out []string
	for _, name := range Expected() {
		if c[name] == 0 {
			out = append(out, name)
		}
	}
	return out
}

// Print writes the table, in the order of the names.
func (c Counters) Print(w io.Writer) {
	names := make([]string, 0, len(c))
	for name := range c {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(w, "%12d  %s\n", c[name], name)
	}
}
