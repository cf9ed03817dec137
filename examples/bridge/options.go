package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/turnwasm/turnwasm/host/bridge"
)

type options struct {
	listen    string
	servers   []string
	origins   []string
	tokenFile string
	cert, key string
	dev       bool
	pages     string
	pagesAt   string
	metrics   string
	grace     time.Duration
	json      bool
	limits    bridge.Limits
}

// parse reads the command line. What is wrong with it is on stderr already when
// it answers an error.
func parse(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	f := flag.NewFlagSet("bridge", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintln(stderr, "usage: bridge -cert FILE -key FILE -server turn:HOST[:PORT] -origin https://HOST [flags]\n       bridge -dev [flags]")
		f.PrintDefaults()
	}
	o.define(f)
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	err := o.check(f.Args())
	if err != nil {
		fmt.Fprintln(stderr, "bridge:", err)
		f.Usage()
	}
	return o, err
}

func (o *options) define(f *flag.FlagSet) {
	f.StringVar(&o.listen, "listen", ":4433", "UDP `address` for WebTransport (with -dev: 127.0.0.1:4433)")
	f.Func("server", "a TURN `URI` that pages may name; repeat it (with -dev: one of our own)", add(&o.servers))
	f.Func("origin", "an `origin` whose pages may come: https://HOST[:PORT], none (no browser) or *; repeat it (with -dev: the pages')", add(&o.origins))
	f.StringVar(&o.tokenFile, "token-file", "", "every page has to bring the bearer token in this `file`")
	f.StringVar(&o.cert, "cert", "", "certificate `file`, PEM")
	f.StringVar(&o.key, "key", "", "its key `file`, PEM")
	f.BoolVar(&o.dev, "dev", false, "development: a certificate of our own, whose hash the pages get, and a TURN server of our own")
	f.StringVar(&o.pages, "pages", "", "with -dev: serve this `folder` over HTTP, with /bridge.json")
	f.StringVar(&o.pagesAt, "pages-listen", "127.0.0.1:8080", "with -pages: loopback `address`")
	f.StringVar(&o.metrics, "metrics", "", "serve Prometheus metrics at http://`address`/metrics")
	f.DurationVar(&o.grace, "grace", 5*time.Second, "how long pages may take to release when the bridge is stopped")
	f.BoolVar(&o.json, "json", false, "log one JSON object a line")
	f.IntVar(&o.limits.Sessions, "sessions", 1000, "most sessions")
	f.IntVar(&o.limits.SessionsPerAddress, "sessions-per-address", 16, "most sessions of one address")
	f.IntVar(&o.limits.PacketsPerSecond, "packets", 10000, "packets a second of a session, each way")
	f.IntVar(&o.limits.BytesPerSecond, "bytes", 8<<20, "bytes a second of a session, each way")
	f.DurationVar(&o.limits.Start, "start", 15*time.Second, "from the handshake to the session, and from there to its first packet")
	f.DurationVar(&o.limits.Idle, "idle", 15*time.Minute, "most time between two packets of a page")
	f.DurationVar(&o.limits.Silence, "silence", 30*time.Second, "a page that answers nothing for so long is dead")
}

func add(list *[]string) func(string) error {
	return func(s string) error {
		*list = append(*list, s)
		return nil
	}
}

func (o *options) check(args []string) error {
	l := o.limits
	switch {
	case len(args) > 0:
		return fmt.Errorf("%q is no flag", args[0])
	case min(l.Sessions, l.SessionsPerAddress, l.PacketsPerSecond, l.BytesPerSecond) < 1 || min(l.Start, l.Idle, l.Silence) <= 0 || o.grace < 0:
		return errors.New("limits are positive, -grace is not negative")
	case o.dev && (o.cert != "" || o.key != ""):
		return errors.New("-dev makes its own certificate: leave -cert and -key out")
	case !o.dev && (o.cert == "" || o.key == ""):
		return errors.New("want -cert and -key, or -dev")
	case !o.dev && o.pages != "":
		return errors.New("-pages is for -dev: plain HTTP is for loopback alone")
	case !o.dev && len(o.servers) == 0:
		return errors.New("want a -server")
	case !o.dev && len(o.origins) == 0:
		return errors.New("want an -origin")
	}
	return o.checkDev()
}

func (o *options) checkDev() error {
	if !o.dev {
		return nil
	}
	if o.listen == ":4433" {
		o.listen = "127.0.0.1:4433"
	}
	for _, at := range []string{o.listen, o.pagesAt} {
		if a, err := netip.ParseAddrPort(at); err != nil || !a.Addr().IsLoopback() {
			return fmt.Errorf("with -dev, %q has to be a loopback address and a port", at)
		}
	}
	if o.pages == "" && len(o.origins) == 0 {
		return errors.New("with -dev, want -pages or an -origin")
	}
	return nil
}

// token reads the token file, without the newline at its end.
func (o *options) token() (string, error) {
	if o.tokenFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(o.tokenFile)
	token := strings.TrimRight(string(b), "\r\n")
	if err == nil && token == "" {
		err = fmt.Errorf("%s holds no token", o.tokenFile)
	}
	return token, err
}
