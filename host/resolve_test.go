package host

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// names is a name server of our own on loopback.
type names struct {
	sock *net.UDPConn
	done chan struct{}

	mu     sync.Mutex
	srv    map[string][]dnsmessage.SRVResource // by name, with its dot
	hosts  map[string][]netip.Addr
	mute   map[string]bool // no answer
	asked  []string        // SRV names
	asking []net.Conn      // the resolver's, which outlive a lookup that was given up
}

func newNames(t *testing.T) *names {
	t.Helper()
	sock, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	n := &names{
		sock: sock, done: make(chan struct{}), srv: map[string][]dnsmessage.SRVResource{}, hosts: map[string][]netip.Addr{}, mute: map[string]bool{},
	}
	go n.run()
	t.Cleanup(func() {
		sock.Close()
		<-n.done
		for _, c := range n.asking {
			c.Close()
		}
	})
	return n
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, "udp", n.sock.LocalAddr().String())
		if err == nil {
			n.mu.Lock()
			n.asking = append(n.asking, c)
			n.mu.Unlock()
		}
		return c, err
	}}
}

// serve adds an SRV record and the target's address.
func (n *names) serve(service string, priority uint16, target string, at netip.AddrPort) {
	n.srv[service] = append(n.srv[service], dnsmessage.SRVResource{Priority: priority, Port: at.Port(), Target: dnsmessage.MustNewName(target)})
	n.hosts[target] = append(n.hosts[target], at.Addr())
}

func (n *names) run() {
	defer close(n.done)
	b := make([]byte, 4096)
	for {
		size, from, err := n.sock.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		var m dnsmessage.Message
		if err != nil || m.Unpack(b[:size]) != nil || len(m.Questions) != 1 {
			continue
		}
		if answer, ok := n.answer(m); ok {
			_, _ = n.sock.WriteToUDPAddrPort(answer, from)
		}
	}
}

func (n *names) answer(m dnsmessage.Message) ([]byte, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	q := m.Questions[0]
	name := strings.ToLower(q.Name.String())
	if n.mute[name] {
		return nil, false
	}
	a := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
	add := func(body dnsmessage.ResourceBody) {
		a.Answers = append(a.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}, Body: body})
	}
	switch q.Type {
	case dnsmessage.TypeSRV:
		n.asked = append(n.asked, name)
		for _, r := range n.srv[name] {
			add(&r)
		}
	case dnsmessage.TypeA:
		for _, ip := range n.hosts[name] {
			if ip.Is4() {
				add(&dnsmessage.AResource{A: ip.As4()})
			}
		}
	case dnsmessage.TypeAAAA:
		for _, ip := range n.hosts[name] {
			if ip.Is6() {
				add(&dnsmessage.AAAAResource{AAAA: ip.As16()})
			}
		}
	}
	if len(n.srv[name]) == 0 && len(n.hosts[name]) == 0 {
		a.RCode = dnsmessage.RCodeNameError
	}
	answer, err := a.Pack()
	return answer, err == nil
}

func placesOf(t *testing.T, ctx context.Context, n *names, url string) ([]string, error) {
	t.Helper()
	s, err := Config{URL: url, Resolver: n.resolver(), ServerName: "x.test"}.check()
	if err != nil {
		t.Fatal(err)
	}
	at, err := s.places(ctx)
	var texts []string
	for _, a := range at {
		texts = append(texts, a.String())
	}
	return texts, err
}

func TestS04Places(t *testing.T) {
	n := newNames(t)
	at := netip.MustParseAddrPort
	n.hosts["plain.test."] = []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.2")}
	n.serve("_turn._udp.example.test.", 20, "b.test.", at("192.0.2.20:5020"))
	n.serve("_turn._udp.example.test.", 10, "a.test.", at("192.0.2.10:5010"))
	n.serve("_turn._tcp.example.test.", 0, "tcp.test.", at("192.0.2.30:5030"))
	n.serve("_turns._tcp.example.test.", 0, "tls.test.", at("192.0.2.40:5040"))
	n.serve("_turns._udp.example.test.", 0, "dtls.test.", at("[2001:db8::50]:5050"))
	n.hosts["example.test."] = []netip.Addr{netip.MustParseAddr("192.0.2.99")}
	for url, want := range map[string][]string{
		"turn:example.test":                {"192.0.2.10:5010", "192.0.2.20:5020"},
		"turn:EXAMPLE.test":                {"192.0.2.10:5010", "192.0.2.20:5020"},
		"turn:example.test?transport=tcp":  {"192.0.2.30:5030"},
		"turns:example.test":               {"192.0.2.40:5040"},
		"turns:example.test?transport=udp": {"[2001:db8::50]:5050"},
		"turn:example.test:1234":           {"192.0.2.99:1234"},
		"turn:192.0.2.7":                   {"192.0.2.7:3478"},
		"turn:[2001:db8::7]":               {"[2001:db8::7]:3478"},
		"turns:[2001:db8::7]:443":          {"[2001:db8::7]:443"},
	} {
		if got, err := placesOf(t, t.Context(), n, url); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", url, got, err, want)
		}
	}
	for url, port := range map[string]string{"turn:plain.test": ":3478", "turns:plain.test": ":5349"} {
		got, err := placesOf(t, t.Context(), n, url)
		if err != nil || len(got) != 3 || !strings.HasSuffix(got[0], port) {
			t.Errorf("%s without SRV records: %v, %v", url, got, err)
			continue
		}
		if is6 := func(i int) bool { return got[i][0] == '[' }; is6(0) == is6(1) {
			t.Errorf("the families do not take turns: %v", got)
		}
	}
}

func TestS04NoPlaces(t *testing.T) {
	n := newNames(t)
	n.srv["_turn._udp.none.test."] = []dnsmessage.SRVResource{{Target: dnsmessage.MustNewName(".")}}
	n.hosts["none.test."] = []netip.Addr{netip.MustParseAddr("192.0.2.1")}
	n.srv["_turn._udp.dangling.test."] = []dnsmessage.SRVResource{{Port: 1, Target: dnsmessage.MustNewName("nowhere.test.")}}
	n.hosts["dangling.test."] = n.hosts["none.test."]
	n.mute["_turn._udp.silent.test."], n.mute["silent.test."] = true, true
	for url, want := range map[string]string{
		"turn:none.test":     "its SRV record says so",
		"turn:dangling.test": "nowhere.test",
		"turn:missing.test":  "no such host",
	} {
		if got, err := placesOf(t, t.Context(), n, url); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want an error with %q", url, got, err, want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got, err := placesOf(t, ctx, n, "turn:silent.test"); err == nil {
		t.Errorf("a name server that is silent: %v", got)
	}
	if got, err := placesOf(t, t.Context(), n, "turn:single:1"); err == nil {
		t.Errorf("a name that nobody knows: %v", got)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if slices.ContainsFunc(n.asked, func(name string) bool { return strings.Contains(name, "single") }) {
		t.Error("a name without a dot was asked for services")
	}
}

// A target whose name server is silent is not in the way of the others.
func TestS04SilentTarget(t *testing.T) {
	n := newNames(t)
	n.serve("_turn._udp.example.test.", 10, "silent.test.", netip.MustParseAddrPort("192.0.2.10:5010"))
	n.serve("_turn._udp.example.test.", 20, "there.test.", netip.MustParseAddrPort("192.0.2.20:5020"))
	n.mute["silent.test."] = true
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	got, err := placesOf(t, ctx, n, "turn:example.test")
	if err != nil || !slices.Equal(got, []string{"192.0.2.20:5020"}) || ctx.Err() != nil {
		t.Errorf("%v, %v; the context: %v", got, err, ctx.Err())
	}
}

// A name server that does not answer for services is not in the way of addresses.
func TestS04SilentServices(t *testing.T) {
	n := newNames(t)
	n.hosts["plain.test."] = []netip.Addr{netip.MustParseAddr("192.0.2.30")}
	n.mute["_turn._udp.plain.test."] = true
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second) // the resolver's own patience is 10 s
	defer cancel()
	got, err := placesOf(t, ctx, n, "turn:plain.test")
	if err != nil || !slices.Equal(got, []string{"192.0.2.30:3478"}) {
		t.Errorf("%v, %v; the context: %v", got, err, ctx.Err())
	}
}

func TestS04ManyPlaces(t *testing.T) {
	n := newNames(t)
	for i := range 20 {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), uint16(1000+i))
		n.serve("_turn._udp.many.test.", uint16(i), "h"+string(rune('a'+i))+".test.", at)
		n.hosts["crowd.test."] = append(n.hosts["crowd.test."], at.Addr())
	}
	for _, url := range []string{"turn:many.test", "turn:crowd.test"} {
		if got, err := placesOf(t, t.Context(), n, url); err != nil || len(got) != maxPlaces {
			t.Errorf("%s: %v, %v; want %d", url, got, err, maxPlaces)
		}
	}
}
