package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/host"
)

type options struct {
	url, user, pass string
	anonymous       bool
	token, key      []byte // of RFC 7635
	local           string
	peer            netip.AddrPort // zero: an echo peer of our own
	n, size         int
	rate            float64 // payloads a second
	linger, hold    time.Duration
	keepalive       time.Duration
	evenPort        client.EvenPort
	reservation     client.ReservationToken
	dontFragment    bool
	redirect        host.RedirectPolicy
	cycles          int
	mobility        bool
	rebindAt        int // the payload before which the allocation moves; 0 = never
	closeAt         client.Phase
	closeEarly      bool // -close-at was given
	engine          host.Engine
	family          client.Family // of the relayed address
	relayTCP        bool
	unsignedBind    bool
	trace           string
	json            bool
	secured
	path     bool   // tell of the way to the server
	snapshot string // file to hand over to
	restore  string // file to begin from
	sealKey  []byte
}

const (
	minSize = 12 // what tells an echo from anything else
	maxSize = 65000
)

var engines = map[string]host.Engine{"wasm": host.Wasm, "native": host.Native}

var families = map[string]client.Family{"4": client.FamilyIPv4, "6": client.FamilyIPv6, "both": client.FamilyBoth}

var evenPorts = map[string]client.EvenPort{"even": client.EvenPortOnly, "reserve": client.EvenPortReserve}

var redirects = map[string]host.RedirectPolicy{
	"signed": host.RedirectSigned, "any": host.RedirectAny, "none": host.RedirectNone,
}

var phases = map[string]client.Phase{
	"new": client.PhaseNew, "allocating": client.PhaseAllocating,
	"authenticated": client.PhaseAuthenticated, "allocated": client.PhaseAllocated,
}

// parse reads the command line. What is wrong with it is on stderr already when
// it answers an error.
func parse(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	f := flag.NewFlagSet("turnclient", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintln(stderr, "usage: turnclient [flags] turn[s]:HOST[:PORT][?transport=udp|tcp]")
		f.PrintDefaults()
	}
	f.StringVar(&o.user, "user", "", "username")
	f.StringVar(&o.pass, "pass", "", "password")
	f.BoolVar(&o.anonymous, "anonymous", false, "never send the username in the clear: fail where the server takes no hash of it")
	f.Func("token", "access `token` of RFC 7635 in base64; -user is then its key's name, -pass the key in base64", o.setToken)
	o.secured.flags(f)
	f.StringVar(&o.local, "local", "", "own `address`: IP, IP:PORT or :PORT; with a port, what an earlier run left there is released")
	f.Func("peer", "echo peer's `address` (default: one of our own)", o.setPeer)
	f.IntVar(&o.n, "n", 100, "payloads to echo; 0 = none (with -cycles: 0)")
	f.IntVar(&o.size, "size", 1000, "their size in bytes")
	f.Float64Var(&o.rate, "rate", 500, "payloads a second")
	f.DurationVar(&o.linger, "linger", 2*time.Second, "how long to wait for the answer to the release; 0 = one datagram and go")
	f.DurationVar(&o.hold, "hold", 0, "keep the allocation for so long before closing it")
	f.DurationVar(&o.keepalive, "keepalive", 0, "send a Binding indication so often, for NATs on the way; 0 = never")
	f.Func("even-port", "ask for an even port: `even`, or reserve to have the next one kept", o.setEvenPort)
	f.Func("reservation", "allocate the port that this `token` was given for, 16 hexadecimal digits", o.setReservation)
	f.BoolVar(&o.dontFragment, "dont-fragment", false, "have the relay set DF on what is sent without a channel")
	f.Func("redirect", "which `kind` of 300 (Try Alternate) answers to follow: signed (default), any, none", o.setRedirect)
	f.BoolVar(&o.mobility, "mobility", false, "let the allocation move when the local address is gone (RFC 8016)")
	f.IntVar(&o.rebindAt, "rebind-at", 0, "move it to another local port before this `payload`; it implies -mobility")
	f.IntVar(&o.cycles, "cycles", 1, "allocate and close so many times from the same local port")
	f.Func("close-at", "close the moment this `state` is reached: new, allocating, authenticated, allocated", o.setCloseAt)
	f.Func("engine", "`wasm` or native", o.setEngine)
	f.Func("family", "ask for a relayed address of this `family`: 4, 6 or both (default: the server's, IPv4)", o.setFamily)
	f.BoolVar(&o.relayTCP, "relay-tcp", false, "allocate for TCP connections (RFC 6062), and echo over one; the URL is one over TCP or TLS then")
	f.BoolVar(&o.unsignedBind, "unsigned-bind", false, "with -relay-tcp: take an answer to a ConnectionBind that is not signed, as pion's servers send it")
	f.StringVar(&o.trace, "trace", "", "write the datagrams to this pcapng `file`")
	f.StringVar(&o.snapshot, "snapshot", "", "at the end hand the allocation over to this `file` instead of releasing it; needs -snapshot-key")
	f.StringVar(&o.restore, "restore", "", "go on with the allocation of this `file`; needs -snapshot-key")
	f.Func("snapshot-key", "`key` that seals the file, 64 hexadecimal digits", o.setSealKey)
	f.BoolVar(&o.path, "path", false, "say what was measured of the way to the server, and the retransmission time-out that comes of it")
	f.BoolVar(&o.json, "json", false, "one JSON object a line on stdout")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	echoAsked := false
	f.Visit(func(f *flag.Flag) { echoAsked = echoAsked || f.Name == "n" })
	if o.cycles > 1 && !echoAsked {
		o.n = 0
	}
	err := o.check(f.Args())
	if err != nil {
		fmt.Fprintln(stderr, "turnclient:", err)
		f.Usage()
	}
	return o, err
}

func (o *options) check(args []string) error {
	if len(args) != 1 {
		return errors.New("want one URL")
	}
	o.url = args[0]
	if len(o.token) > 0 {
		var err error
		if o.key, err = base64.StdEncoding.DecodeString(o.pass); err != nil {
			return errors.New("-pass is not the token's key in base64")
		}
	}
	switch {
	case !strings.HasPrefix(o.url, "turn:") && !strings.HasPrefix(o.url, "turns:"):
		return fmt.Errorf("%q is not a TURN URI: want turn[s]:HOST[:PORT][?transport=udp|tcp]", o.url)
	case o.n < 0 || o.rate <= 0 || o.cycles < 1 || o.linger < 0 || o.hold < 0 || o.keepalive < 0:
		return errors.New("-n, -linger, -hold and -keepalive are not negative, -cycles and -rate are positive")
	case o.rebindAt < 0 || o.rebindAt > 0 && o.rebindAt >= o.n:
		return errors.New("-rebind-at is the number of a payload, less than -n")
	case (o.snapshot != "" || o.restore != "") && (len(o.sealKey) == 0 || o.cycles > 1 || o.closeEarly):
		return errors.New("-snapshot and -restore need -snapshot-key, and neither -cycles nor -close-at")
	case o.size < minSize || o.size > maxSize:
		return fmt.Errorf("-size is between %d and %d", minSize, maxSize)
	}
	return nil
}

func (o *options) setToken(s string) (err error) {
	o.token, err = base64.StdEncoding.DecodeString(s)
	return err
}

// credentials are what a Config takes: with a token the password is its key.
func (o *options) credentials() (user, pass string) {
	if len(o.token) > 0 {
		return o.user, string(o.key)
	}
	return o.user, o.pass
}

func (o *options) setPeer(s string) (err error) {
	o.peer, err = netip.ParseAddrPort(s)
	return err
}

func (o *options) setCloseAt(s string) error {
	phase, ok := phases[s]
	if !ok {
		return errors.New("want new, allocating, authenticated or allocated")
	}
	o.closeAt, o.closeEarly = phase, true
	return nil
}

func (o *options) setEngine(s string) error {
	if o.engine = engines[s]; o.engine == 0 {
		return errors.New("want wasm or native")
	}
	return nil
}

func (o *options) setFamily(s string) error {
	if o.family = families[s]; o.family == client.FamilyDefault {
		return errors.New("want 4, 6 or both")
	}
	return nil
}

func (o *options) setEvenPort(s string) error {
	if o.evenPort = evenPorts[s]; o.evenPort == client.EvenPortNone {
		return errors.New("want even or reserve")
	}
	return nil
}

func (o *options) setReservation(s string) error {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(o.reservation) {
		return errors.New("want 16 hexadecimal digits")
	}
	o.reservation = client.ReservationToken(b)
	return nil
}

func (o *options) setSealKey(s string) (err error) {
	o.sealKey, err = hex.DecodeString(s)
	if err != nil || len(o.sealKey) != host.SnapshotKeySize {
		return errors.New("want 64 hexadecimal digits")
	}
	return nil
}

func (o *options) setRedirect(s string) error {
	policy, ok := redirects[s]
	if !ok {
		return errors.New("want signed, any or none")
	}
	o.redirect = policy
	return nil
}
