// Command peers starts what the tests of js/ need as another process: a TURN
// server on loopback, over UDP, TCP and TLS, an echo peer, and a proxy in front of the server that
// plants faults. It prints one JSON line with their addresses, then answers
// questions, a line of words each, with a line of JSON:
//
//	held        the number of allocations that the server holds
//	held N      the same, when it has come to N, or after ten seconds
//	fault NAME [N]   plants a fault for the first N datagrams (0 = all) that it is about
//	stop        stops the server: it is silent from here on
//
// It ends with its standard input. What stands behind its flags is added to
// coturn's command line.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/turnwasm/turnwasm/host/hosttest"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("peers: ")
	kind := flag.String("server", "pion", "`pion` or coturn")
	quota := flag.Int("quota", 0, "allocations that pion grants; 0 = no limit")
	deny := flag.Bool("deny", false, "pion lets nobody talk to loopback")
	secret := flag.String("secret", "", "pion takes the time-limited credentials of this `secret`")
	flag.Parse()
	o := hosttest.PionOptions{Quota: *quota, Secret: *secret}
	if *deny {
		o.Deny = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	}
	if err := run(*kind, o); err != nil {
		log.Fatal(err)
	}
}

// peers are what was started.
type peers struct {
	server hosttest.Server
	proxy  *hosttest.Proxy
	echo   *hosttest.Echo
	carriers
}

func run(kind string, o hosttest.PionOptions) error {
	p, err := start(kind, o)
	if err != nil {
		return err
	}
	defer p.server.Close()
	defer p.proxy.Close()
	defer p.echo.Close()
	answer(map[string]any{
		"server": p.server.Addr().String(), "proxy": p.proxy.Addr().String(), "echo": p.echo.Addr().String(),
		"username": hosttest.Username, "password": hosttest.Password, "carriers": p.carriers,
	})
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		answer(p.ask(strings.Fields(lines.Text())))
	}
	return lines.Err()
}

func start(kind string, o hosttest.PionOptions) (p peers, err error) {
	switch kind {
	case "pion":
		p.server, p.carriers, err = startPion(o)
	case "coturn":
		p.server, p.carriers, err = startCoturn(flag.Args())
	default:
		return p, fmt.Errorf("there is no server %q", kind)
	}
	if err != nil {
		return p, err
	}
	if p.proxy, err = hosttest.StartProxy(p.server.Addr()); err != nil {
		return p, err
	}
	p.echo, err = hosttest.StartEcho(netip.Addr{})
	return p, err
}

func answer(v any) {
	if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
		log.Fatal(err)
	}
}

// patience is for what the server does in its own time.
const patience = 10 * time.Second

func (p *peers) ask(words []string) any {
	number := func(i int) int {
		if i >= len(words) {
			return 0
		}
		n, err := strconv.Atoi(words[i])
		if err != nil {
			log.Fatal(err)
		}
		return n
	}
	switch {
	case len(words) == 1 && words[0] == "held":
		return held(p.server.Held())
	case len(words) == 2 && words[0] == "held":
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return held(hosttest.AwaitHeld(ctx, p.server, number(1)))
	case len(words) >= 2 && words[0] == "fault":
		fault, ok := faults[words[1]]
		if !ok {
			return map[string]string{"error": "there is no fault " + words[1]}
		}
		p.proxy.SetFault(fault(number(2)))
		return struct{}{}
	case len(words) == 3 && words[0] == "icmp": // a code, and the local port of who is told
		from := netip.AddrPortFrom(p.server.Addr().Addr(), uint16(number(2)))
		err := hosttest.ICMP(byte(number(1)), from, p.server.Addr())
		return map[string]bool{"told": err == nil}
	case len(words) == 1 && words[0] == "stop":
		return held(0, p.server.Close())
	}
	return map[string]string{"error": "not understood: " + strings.Join(words, " ")}
}

func held(n int, err error) any {
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	return map[string]int{"held": n}
}

// faults by name.
var faults = map[string]func(n int) hosttest.Fault{
	"none":             plant(hosttest.Everything, hosttest.Pass),
	"silence":          plant(hosttest.Everything, hosttest.Drop),
	"lose-release":     plant(hosttest.IsRelease, hosttest.Drop),
	"stale-release":    plant(hosttest.IsRelease, hosttest.StaleNonce),
	"lose-challenge":   plant(hosttest.IsChallenge, hosttest.Drop),
	"lose-allocated":   plant(hosttest.IsAllocateSuccess, hosttest.Drop),
	"mismatch":         plant(hosttest.IsAllocate, hosttest.UnsignedMismatch),
	"mismatch-refresh": plant(hosttest.IsRefresh, hosttest.UnsignedMismatch),
	"lossy":            func(int) hosttest.Fault { return lossy() },
}

// lossy is a poor path: one datagram of twenty is lost, each takes 50 ms, both ways.
func lossy() hosttest.Fault {
	dice := rand.New(rand.NewPCG(1, 2))
	return func(hosttest.Passage) hosttest.Action {
		return hosttest.Action{Drop: dice.IntN(20) == 0, Delay: 50 * time.Millisecond}
	}
}

func plant(match hosttest.Match, act hosttest.Fault) func(n int) hosttest.Fault {
	return func(n int) hosttest.Fault { return hosttest.First(n, match, act) }
}
