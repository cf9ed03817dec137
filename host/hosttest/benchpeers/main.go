// Command benchpeers measures the data path side by side with its peers: this
// module's client on both engines, github.com/pion/turn's, and raw sockets as
// the limit, against the same far side and, in two rows, through a real coturn.
//
//	benchpeers [-rounds 5] [-only NAME,...] [-quick] [-json FILE] [-profiles FOLDER]
//
// Every contestant is a process of its own, started anew for each run; so is
// the far side, a program that is the TURN server and the peer behind it. The
// figure is packets per CPU-second (user and system) of the contestant's
// process. A packet counts when the other side has received it and compared its
// number and every byte of it; a run that lost over 1 % is void. In a round each
// cell has its turn; a ratio is the median of the rounds' ratios.
//
// The last lines are "ratio NAME VALUE (bound ...) pass|short". The exit status
// is 1 when something could not be measured, and 0 also when a bound is missed.
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
	var o flags
	flag.IntVar(&o.rounds, "rounds", 5, "rounds")
	flag.StringVar(&o.only, "only", "", "only these ratios: NAME,NAME")
	flag.BoolVar(&o.quick, "quick", false, "one short round of everything, to see that it works")
	flag.StringVar(&o.json, "json", "", "write the figures to this file too")
	flag.StringVar(&o.profiles, "profiles", "", "write a CPU profile of each client into this folder")
	flag.StringVar(&o.role, "role", "", "for itself: what this process is to do")
	flag.StringVar(&o.spec, "spec", "", "for itself: how")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "benchpeers:", err)
		os.Exit(1)
	}
}

type flags struct {
	rounds     int
	only, json string
	quick      bool
	profiles   string
	role, spec string
}

// names are those of -only.
func (o *flags) names() []string {
	return strings.FieldsFunc(o.only, func(r rune) bool { return r == ',' })
}
