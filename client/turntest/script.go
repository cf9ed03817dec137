package turntest

import (
	"fmt"
	"strings"
)

// A script is a text of blocks, separated by blank lines:
//
//	# comments
//	commands
//	----
//	what came out
//
// and at the end, "# stats ..." with each client's counters and "# sha256 ..." with
// the hash of every byte and event record that came out. RunScript answers the text with what came out this time, so a
// script that passes is one that does not change.
//
// The commands, in front of them "NAME: " where a script has several clients:
//
//	new [name=] [user=] [password=] [server=] [family=] [lifetime=] [software=]
//	    [rto=] [minrto=] [smoothed=] [variation=] [rc=] [rm=] [cap=] [fingerprint] [autopermission] [reclaim] [reallocate] [anonymous]
//	    [token=] [stream] [secured] [relaytcp] [unsignedbind]
//	allocate | refresh | permit ADDR... | unpermit ADDR | bind PEER | unbind PEER
//	allocated                          an Allocate, its challenge and its success
//	send PEER "PAYLOAD"
//	connect PEER | accept ID           of RFC 6062
//	setcredentials user= password=
//	settoken user= password= token=    of RFC 7635: the key's name, the key, the token
//	recv tx=N success|error CODE       see script_recv.go
//	recv data | channeldata | indication | request | hex
//	flowopened N | flowclosed N | patherror N
//	advance DURATION                   stops at each deadline on the way
//	timeout                            advances to the next deadline
//	close [linger=] | free
//	state | stats | parting | roundtrip
//
// After each command everything is drained and written down: "@0.5s -> " and a
// datagram as Describe renders it, "@0.5s event " and an event. At a block's end
// stands each client's next deadline and its reason. Requests are named tx=1,
// tx=2 in the order in which their transaction IDs appear.
//
// Beside the text the runner holds every script to the rules of every run: a
// drain ends, a deadline lies in the future, a resend is the same bytes, and
// after Closed there is nothing.

// RunScript runs a script on a driver that has no clients yet, and answers its
// text with what came out.
func RunScript(text string, d Driver) (string, error) {
	r := newScriptRunner(d)
	var out []string
	for _, p := range parseScript(text) {
		if len(p.commands) == 0 {
			out = append(out, strings.Join(p.comments(), "\n"))
			continue
		}
		for _, line := range p.commands {
			if err := r.run(line); err != nil {
				return "", fmt.Errorf("%q: %w", line, err)
			}
		}
		if err := r.endBlock(); err != nil {
			return "", fmt.Errorf("after %q: %w", p.commands[len(p.commands)-1], err)
		}
		out = append(out, strings.Join(append(append(p.lines, scriptRule), r.takeLines()...), "\n"))
	}
	out = append(out, strings.Join(append(r.counters(), scriptSum+r.sum()), "\n"))
	return strings.Join(out, "\n\n") + "\n", nil
}

const (
	scriptRule  = "----"
	scriptStats = "# stats "
	scriptSum   = "# sha256 "
)

// paragraph is a block, or comments that stand alone.
type paragraph struct {
	lines    []string // above the rule, as they were
	commands []string // the lines that are not comments
}

func (p *paragraph) comments() []string { return p.lines }

func parseScript(text string) []paragraph {
	var out []paragraph
	for _, part := range strings.Split(strings.TrimSpace(text), "\n\n") {
		p := parseParagraph(part)
		if len(p.lines) > 0 {
			out = append(out, p)
		}
	}
	return out
}

func parseParagraph(part string) (p paragraph) {
	for _, line := range strings.Split(part, "\n") {
		line = strings.TrimRight(line, " \t\r")
		switch {
		case line == scriptRule:
			return p
		case line == "" || strings.HasPrefix(line, scriptSum) || strings.HasPrefix(line, scriptStats):
			continue
		case !strings.HasPrefix(line, "#"):
			p.commands = append(p.commands, line)
		}
		p.lines = append(p.lines, line)
	}
	return p
}

// DiffScript names the first line in which what came out differs from the
// script; "" when none does.
func DiffScript(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := lineOf(w, i), lineOf(g, i)
		if a != b {
			return fmt.Sprintf("line %d\n want %s\n  got %s", i+1, a, b)
		}
	}
	return ""
}

func lineOf(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing"
}
