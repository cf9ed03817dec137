package client_test

import (
	"bytes"
	"errors"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

// Row I11: every bound of limits.go, at the bound and beyond it. The numbers are
// written out: they are promised in PROTOCOL.md.

func manyAddrs(n int) []netip.Addr {
	out := make([]netip.Addr, n)
	addr := netip.MustParseAddr("10.0.0.1")
	for i := range out {
		out[i], addr = addr, addr.Next()
	}
	return out
}

func manyPorts(n int) []netip.AddrPort {
	out := make([]netip.AddrPort, n)
	for i := range out {
		out[i] = netip.AddrPortFrom(rigPeer.Addr(), uint16(i+1))
	}
	return out
}

func TestI11Permissions(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	addrs := manyAddrs(1025)
	r.must(func(now time.Duration) error { return r.CreatePermission(now, addrs[:1000]...) })
	if err := r.do(func(now time.Duration) error { return r.CreatePermission(now, addrs[1000:]...) }); !errors.Is(err, client.ErrLimit) {
		t.Errorf("1025 permissions: %v", err)
	}
	r.nothing("a command that answers an error has changed nothing")
	r.must(func(now time.Duration) error { return r.CreatePermission(now, addrs[1000:1024]...) })
	for _, err := range []error{
		r.do(func(now time.Duration) error { return r.CreatePermission(now, addrs[1024]) }),
		r.do(func(now time.Duration) error { return r.BindChannel(now, rigPeer) }),
	} {
		if !errors.Is(err, client.ErrLimit) {
			t.Errorf("the 1025th permission: %v", err)
		}
	}
	r.must(func(now time.Duration) error { return r.CreatePermission(now, addrs[7]) })
}

func TestI11PermissionsThatDiedMakeRoom(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	addrs := manyAddrs(1025)
	r.must(func(now time.Duration) error { return r.CreatePermission(now, addrs[:1024]...) })
	for _, addr := range addrs[:1024] {
		r.must(func(now time.Duration) error { return r.RemovePermission(now, addr) })
	}
	r.advance(8 * time.Minute)
	r.must(func(now time.Duration) error { return r.CreatePermission(now, addrs[1024]) })
}

func TestI11Channels(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	peers := manyPorts(4097)
	for _, peer := range peers[:4096] {
		r.must(func(now time.Duration) error { return r.BindChannel(now, peer) })
	}
	if err := r.do(func(now time.Duration) error { return r.BindChannel(now, peers[4096]) }); !errors.Is(err, client.ErrNoChannel) {
		t.Errorf("the 4097th channel: %v", err)
	}
}

func TestI11CommandsThatWait(t *testing.T) {
	r := newRig(t)
	r.must(func(now time.Duration) error { return r.CreatePermission(now, manyAddrs(62)...) })
	if err := r.do(func(now time.Duration) error { return r.CreatePermission(now, manyAddrs(65)...) }); !errors.Is(err, client.ErrQueueFull) {
		t.Errorf("65 commands: %v", err)
	}
	r.must(func(now time.Duration) error { return r.BindChannel(now, rigPeer) })
	r.must(func(now time.Duration) error { return r.BindChannel(now, rigOtherPort) })
	if err := r.do(func(now time.Duration) error { return r.BindChannel(now, netip.AddrPortFrom(rigPeer.Addr(), 7)) }); !errors.Is(err, client.ErrQueueFull) {
		t.Errorf("the 65th command: %v", err)
	}
}

func TestI11PayloadsThatWait(t *testing.T) {
	send := func(r *rig, peer netip.AddrPort, size int) error {
		return r.do(func(now time.Duration) error { return r.Send(now, peer, make([]byte, size)) })
	}
	auto := func(cfg *client.Config) { cfg.AutoPermission = true }

	r := newRig(t, auto).reach(client.PhaseAllocated)
	for i := range 33 {
		if err := send(r, rigPeer, 10); errors.Is(err, client.ErrQueueFull) != (i == 32) {
			t.Errorf("payload %d to one peer: %v", i+1, err)
		}
	}
	r = newRig(t, auto).reach(client.PhaseAllocated)
	for i, size := range []int{40_000, 25_536, 1} {
		if err := send(r, rigPeer, size); errors.Is(err, client.ErrQueueFull) != (i == 2) {
			t.Errorf("payload %d of 64 KiB: %v", i+1, err)
		}
	}
	r = newRig(t, auto).reach(client.PhaseAllocated)
	for i, addr := range manyAddrs(17) {
		for range 2 {
			err := send(r, netip.AddrPortFrom(addr, 9), 32<<10)
			if errors.Is(err, client.ErrQueueFull) != (i == 16) {
				t.Errorf("32 KiB to peer %d: %v", i+1, err)
			}
		}
		none := r.do(func(now time.Duration) error { return r.RemovePermission(now, addr) })
		if errors.Is(none, client.ErrNoPermission) != (i == 16) {
			t.Errorf("peer %d, whose permission is given up: %v", i+1, none)
		}
	}
}

func TestI11GivenUpRequests(t *testing.T) {
	for late, wantRelease := range map[int]bool{4: true, 1: true, 0: false} {
		r := newRig(t, func(cfg *client.Config) { cfg.Rc, cfg.Rm = 1, 1 })
		var requests []*turntest.Message
		for range 5 {
			r.must(r.Allocate)
			r.challenge(401, "n1")
			requests = append(requests, r.last)
			r.advance(time.Minute)
		}
		r.last = requests[late]
		r.grant()
		if got := len(r.sent) == 1; got != wantRelease {
			t.Errorf("a late success to Allocate %d of 5: released %v", late+1, got)
		}
	}
}

func TestI11Texts(t *testing.T) {
	long := func(n int) []byte { return []byte(strings.Repeat("x", n)) }
	for name, c := range map[string]struct {
		change func(*client.Config)
		ok     bool
	}{
		"username 508": {func(cfg *client.Config) { cfg.Username = long(508) }, true},
		"username 509": {func(cfg *client.Config) { cfg.Username = long(509) }, false},
		"password 763": {func(cfg *client.Config) { cfg.Password = long(763) }, true},
		"password 764": {func(cfg *client.Config) { cfg.Password = long(764) }, false},
		"software 128": {func(cfg *client.Config) { cfg.Software = string(long(128)) }, true},
		"software 129": {func(cfg *client.Config) { cfg.Software = string(long(129)) }, false},
	} {
		cfg := rigConfig()
		c.change(&cfg)
		if _, err := client.New(cfg); errors.Is(err, client.ErrConfig) == c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := newRig(t)
	for n, ok := range map[int]bool{508: true, 509: false} {
		err := r.do(func(now time.Duration) error { return r.SetCredentials(now, long(n), []byte("p")) })
		if errors.Is(err, client.ErrTooLarge) == ok {
			t.Errorf("SetCredentials with a username of %d bytes: %v", n, err)
		}
	}
	for n, ok := range map[int]bool{763: true, 764: false} {
		err := r.do(func(now time.Duration) error { return r.SetCredentials(now, []byte("u"), long(n)) })
		if errors.Is(err, client.ErrTooLarge) == ok {
			t.Errorf("SetCredentials with a password of %d bytes: %v", n, err)
		}
	}
}

func TestI11TextsOfTheServer(t *testing.T) {
	for n, ok := range map[int]bool{763: true, 764: false} {
		text := strings.Repeat("x", n)
		for _, c := range [][2]string{{"example.org", text}, {text, "n1"}} {
			r := newRig(t).reach(client.PhaseAllocating)
			r.input(turntest.Build(r.last.Method, turntest.Failure, r.last.ID).Error(401, "").
				Text(turntest.AttrRealm, c[0]).Text(turntest.AttrNonce, c[1]).Datagram())
			if (r.Phase() == client.PhaseAuthenticated) != ok {
				t.Errorf("a challenge with %d bytes leads to %v", n, r.Phase())
			}
		}
	}
	for _, n := range []int{128, 129, 700} {
		r := newRig(t).reach(client.PhaseAllocating)
		r.input(turntest.Build(r.last.Method, turntest.Failure, r.last.ID).Error(403, strings.Repeat("y", n)).Datagram())
		if got := len(r.one(client.AllocateFailed).Reason); got != 128 {
			t.Errorf("a reason phrase of %d bytes is told with %d", n, got)
		}
	}
}

func TestI11Payloads(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	r.bind(rigPeer)
	for n, ok := range map[int]bool{65507 - 64: true, 65507 - 63: false, 1 << 20: false} {
		for _, peer := range []netip.AddrPort{rigPeer, rigOtherPort} {
			err := r.do(func(now time.Duration) error { return r.Send(now, peer, make([]byte, n)) })
			if errors.Is(err, client.ErrTooLarge) == ok {
				t.Errorf("a payload of %d bytes: %v", n, err)
			}
			for _, b := range r.sent {
				if len(b) > 65507 {
					t.Errorf("a payload of %d bytes gives a datagram of %d", n, len(b))
				}
			}
		}
	}
}

func TestI11RoomAroundAPayload(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	r.bind(rigPeer)
	for _, c := range []struct{ size, off, end int }{
		{200, 63, 100}, {200, 64, 63}, {103, 64, 100}, {200, 64, 201}, {200, -1, 100},
	} {
		err := r.do(func(now time.Duration) error {
			return r.SendInPlace(now, rigPeer, make([]byte, c.size), c.off, c.end)
		})
		if !errors.Is(err, client.ErrTooLarge) {
			t.Errorf("SendInPlace in %+v: %v", c, err)
		}
		r.nothing("refused")
	}
}

func TestI11ConfiguredTimes(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*client.Config)
		ok     bool
	}{
		"lifetime 2^31 s": {func(cfg *client.Config) { cfg.Lifetime = 1 << 31 * time.Second }, true},
		"lifetime above":  {func(cfg *client.Config) { cfg.Lifetime = 1<<31*time.Second + 1 }, false},
		"lifetime below":  {func(cfg *client.Config) { cfg.Lifetime = -1 }, false},
		"RTO 1 ms":        {func(cfg *client.Config) { cfg.RTO = time.Millisecond }, true},
		"RTO below":       {func(cfg *client.Config) { cfg.RTO = time.Millisecond - 1 }, false},
		"RTO negative":    {func(cfg *client.Config) { cfg.RTO = -1 }, false},
		"RTO 1 min":       {func(cfg *client.Config) { cfg.RTO = time.Minute }, true},
		"RTO above":       {func(cfg *client.Config) { cfg.RTO = time.Minute + 1 }, false},
		"MinRTO 1 ms":     {func(cfg *client.Config) { cfg.MinRTO = time.Millisecond }, true},
		"MinRTO below":    {func(cfg *client.Config) { cfg.MinRTO = time.Millisecond - 1 }, false},
		"MinRTO 1 min":    {func(cfg *client.Config) { cfg.MinRTO = time.Minute }, true},
		"MinRTO above":    {func(cfg *client.Config) { cfg.MinRTO = time.Minute + 1 }, false},
		"trip is huge": {func(cfg *client.Config) {
			cfg.RoundTrip = client.RoundTrip{Smoothed: math.MaxInt64, Variation: math.MaxInt64}
		}, true},
		"trip negative":   {func(cfg *client.Config) { cfg.RoundTrip.Smoothed = -1 }, false},
		"trip varies < 0": {func(cfg *client.Config) { cfg.RoundTrip.Variation = -1 }, false},
		"Rc 16":           {func(cfg *client.Config) { cfg.Rc = 16 }, true},
		"Rc 17":           {func(cfg *client.Config) { cfg.Rc = 17 }, false},
		"Rc negative":     {func(cfg *client.Config) { cfg.Rc = -1 }, false},
		"Rm 64":           {func(cfg *client.Config) { cfg.Rm = 64 }, true},
		"Rm 65":           {func(cfg *client.Config) { cfg.Rm = 65 }, false},
		"Rm negative":     {func(cfg *client.Config) { cfg.Rm = -1 }, false},
		"cap 1 s":         {func(cfg *client.Config) { cfg.RefreshCap = time.Second }, true},
		"cap below":       {func(cfg *client.Config) { cfg.RefreshCap = time.Second - 1 }, false},
		"cap negative":    {func(cfg *client.Config) { cfg.RefreshCap = -1 }, false},
		"server missing":  {func(cfg *client.Config) { cfg.Server = netip.AddrPort{} }, false},
		"server port 0":   {func(cfg *client.Config) { cfg.Server = netip.MustParseAddrPort("192.0.2.1:0") }, false},
		"server is any":   {func(cfg *client.Config) { cfg.Server = netip.MustParseAddrPort("0.0.0.0:3478") }, false},
		"rand missing":    {func(cfg *client.Config) { cfg.Rand = nil }, false},
		"password alone":  {func(cfg *client.Config) { cfg.Username = nil }, false},
		"family 2":        {func(cfg *client.Config) { cfg.Family = client.FamilyIPv6 }, true},
		"family 4":        {func(cfg *client.Config) { cfg.Family = client.FamilyBoth + 1 }, false},
	} {
		cfg := rigConfig()
		c.change(&cfg)
		if _, err := client.New(cfg); errors.Is(err, client.ErrConfig) == c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The longest waits that can be configured, and instants at the end of time,
// overflow nothing.
func TestI11EndOfTime(t *testing.T) {
	r := newRig(t, func(cfg *client.Config) { cfg.RTO, cfg.Rc, cfg.Rm = time.Minute, 16, 64 })
	r.must(r.Allocate)
	if n := r.advance(365 * 24 * time.Hour); n != 16 {
		t.Errorf("16 sends at 1 min make %d wakes", n)
	}
	r = newRig(t).reach(client.PhaseAuthenticated)
	r.success(func(b *turntest.Builder) {
		b.Address(turntest.AttrXORRelayedAddress, rigRelayed).Bytes(turntest.AttrLifetime, []byte{255, 255, 255, 255})
	})
	if got := r.one(client.Allocated).Lifetime; got != 1<<31*time.Second {
		t.Errorf("a lifetime of 2^32-1 s is taken for %v", got)
	}
	r.now = math.MaxInt64
	r.close(math.MaxInt64)
	if e := r.one(client.Closed); e.Outcome != client.NothingToRelease {
		t.Errorf("at the end of time it ends as %v", e.Outcome)
	}
}

func TestT14ControlMessagesFit(t *testing.T) {
	for _, c := range []struct {
		server, relayed string
		family          client.Family
		limit           int
		peers           []netip.Addr
	}{
		{"192.0.2.1:3478", "192.0.2.1:50000", client.FamilyDefault, 548, manyAddrs(200)},
		{"[2001:db8::1]:3478", "[2001:db8::1]:50000", client.FamilyIPv6, 1232, manySixes(200)},
	} {
		server := netip.MustParseAddrPort(c.server)
		r := newRig(t, func(cfg *client.Config) {
			cfg.Server, cfg.Family, cfg.Software, cfg.Fingerprint = server, c.family, "turnwasm", true
		})
		r.must(r.Allocate)
		answer := func(b *turntest.Builder) {
			r.do(func(now time.Duration) error { r.HandleInput(now, 0, server, b.Datagram()); return nil })
		}
		answer(turntest.Build(r.last.Method, turntest.Failure, r.last.ID).Error(401, "").
			Text(turntest.AttrRealm, "example.org").Text(turntest.AttrNonce, strings.Repeat("n", 60)))
		answer(turntest.Build(r.last.Method, turntest.Success, r.last.ID).
			Address(turntest.AttrXORRelayedAddress, netip.MustParseAddrPort(c.relayed)).Lifetime(time.Hour).Integrity(rigKey))
		r.must(func(now time.Duration) error { return r.CreatePermission(now, c.peers...) })
		peers := 0
		for len(r.sent) > 0 {
			for _, b := range r.sent {
				m, _ := turntest.Decode(b)
				n, _ := m.Addresses(turntest.AttrXORPeerAddress)
				if peers += len(n); len(b) > c.limit || len(b)+24 < c.limit && len(n) > 0 && peers < 200 {
					t.Errorf("a request for %d peers has %d bytes; %d fit", len(n), len(b), c.limit)
				}
			}
			answer(turntest.Build(r.last.Method, turntest.Success, r.last.ID).Integrity(rigKey))
		}
		if peers != 200 {
			t.Errorf("%d peers were asked for", peers)
		}
	}
}

func manySixes(n int) []netip.Addr {
	out := make([]netip.Addr, n)
	addr := netip.MustParseAddr("2001:db8::7")
	for i := range out {
		out[i], addr = addr, addr.Next()
	}
	return out
}

// A list of 64 bytes is echoed, and requests for several peers fit with it (T14).
func TestI11T14Algorithms(t *testing.T) {
	list := func(n int) []byte {
		b := bytes.Repeat([]byte{0, 9, 0, 0}, n)
		copy(b, []byte{0, 2})
		return b
	}
	challenge := func(list []byte) *rig {
		r := newRig(t, func(cfg *client.Config) { cfg.Fingerprint = true }).reach(client.PhaseAllocating)
		r.input(turntest.Build(r.last.Method, turntest.Failure, r.last.ID).Error(401, "").
			Text(turntest.AttrRealm, "example.org").Text(turntest.AttrNonce, "obMatJos2wAAA"+strings.Repeat("n", 60)).
			Bytes(turntest.AttrPasswordAlgorithms, list).Datagram())
		return r
	}
	if r := challenge(list(17)); r.one(client.AllocateFailed).Code != 401 || len(r.sent) > 0 {
		t.Error("68 bytes of PASSWORD-ALGORITHMS are answered")
	}
	r := challenge(list(16))
	key := turntest.LongTermKey256("alice", "example.org", "secret")
	r.input(turntest.Build(r.last.Method, turntest.Success, r.last.ID).Lifetime(10*time.Minute).
		Address(turntest.AttrXORRelayedAddress, rigRelayed).Integrity256(key).Datagram())
	r.must(func(now time.Duration) error { return r.CreatePermission(now, manyAddrs(100)...) })
	most := 0
	for _, b := range r.sent {
		most = max(most, len(b))
	}
	if most > 548 || most < 548-12 {
		t.Errorf("the largest request for several peers has %d bytes, of 548", most)
	}
	if !r.last.Verify(key) {
		t.Error("the last request is not signed by SHA-256")
	}
}

func TestI11Tokens(t *testing.T) {
	config := func(n int) client.Config {
		cfg := rigConfig()
		cfg.AccessToken = make([]byte, n)
		return cfg
	}
	if _, err := client.New(config(508)); err != nil {
		t.Errorf("a token of 508 bytes: %v", err)
	}
	if _, err := client.New(config(509)); !errors.Is(err, client.ErrConfig) {
		t.Errorf("a token of 509 bytes: %v", err)
	}
	bare := config(1)
	bare.Password = nil
	if _, err := client.New(bare); !errors.Is(err, client.ErrConfig) {
		t.Errorf("a token without a key: %v", err)
	}
	r := newRig(t)
	set := func(n int) error {
		return r.do(func(now time.Duration) error { return r.SetToken(now, []byte("kid"), []byte("key"), make([]byte, n)) })
	}
	if err := set(508); err != nil {
		t.Errorf("SetToken of 508 bytes: %v", err)
	}
	if err := set(509); !errors.Is(err, client.ErrTooLarge) {
		t.Errorf("SetToken of 509 bytes: %v", err)
	}
}

// Requests for several peers carry no token, and so have room for as many peers.
func TestT14NoTokenInThem(t *testing.T) {
	r := newRig(t, func(cfg *client.Config) { cfg.AccessToken = make([]byte, 400) }).reach(client.PhaseAuthenticated)
	r.input(turntest.Build(r.last.Method, turntest.Success, r.last.ID).Lifetime(10*time.Minute).
		Address(turntest.AttrXORRelayedAddress, rigRelayed).Integrity([]byte("secret")).Datagram())
	r.must(func(now time.Duration) error { return r.CreatePermission(now, manyAddrs(30)...) })
	if len(r.sent) != 1 || r.last.Has(turntest.AttrAccessToken) || len(r.sent[0]) > 548 {
		t.Errorf("30 permissions take %d requests, the first of %d bytes", len(r.sent), len(r.sent[0]))
	}
}
