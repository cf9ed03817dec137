package client_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

var (
	rigServer  = netip.MustParseAddrPort("192.0.2.1:3478")
	rigRelayed = netip.MustParseAddrPort("192.0.2.1:50000")
	rigPeer    = netip.MustParseAddrPort("198.51.100.7:9000")
	// rigOtherPort has rigPeer's permission but not its channel.
	rigOtherPort = netip.MustParseAddrPort("198.51.100.7:9001")
	rigKey       = turntest.LongTermKey("alice", "example.org", "secret")
)

func rigConfig() client.Config {
	return client.Config{
		Server: rigServer, Username: []byte("alice"), Password: []byte("secret"),
		Rand: rand.NewChaCha8([32]byte{7}),
	}
}

// rig is one client that is drained after every call. What came out last is
// kept until the next call.
type rig struct {
	*client.Client
	t    *testing.T
	now  time.Duration
	sent [][]byte // by the last call
	told []client.Event
	last *turntest.Message // the newest request

	channel uint16 // bound last
}

func newRig(t *testing.T, change ...func(*client.Config)) *rig {
	t.Helper()
	cfg := rigConfig()
	for _, f := range change {
		f(&cfg)
	}
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{Client: c, t: t, now: time.Hour}
}

// do makes a call and drains.
func (r *rig) do(call func(now time.Duration) error) error {
	r.t.Helper()
	err := call(r.now)
	r.drain()
	return err
}

// must is do where the call may not fail.
func (r *rig) must(call func(now time.Duration) error) {
	r.t.Helper()
	if err := r.do(call); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) drain() {
	r.t.Helper()
	r.sent, r.told = nil, nil
	for x, ok := r.PollTransmit(); ok; x, ok = r.PollTransmit() {
		r.sent = append(r.sent, append([]byte(nil), x.Data...))
		if m, err := turntest.Decode(r.sent[len(r.sent)-1]); err == nil && m.Class == turntest.Request {
			r.last = m
		}
	}
	for e, ok := r.PollEvent(); ok; e, ok = r.PollEvent() {
		r.told = append(r.told, e)
	}
	if len(r.sent)+len(r.told) > 5000 {
		r.t.Fatal("the drain brings more than anything can")
	}
	if at, ok := r.PollTimeout(); ok && at <= r.now {
		r.t.Fatalf("I3: after the drain the next deadline is %v, for %q", at-r.now, r.TimeoutReason())
	}
}

func (r *rig) input(datagram []byte) {
	r.t.Helper()
	r.must(func(now time.Duration) error {
		if r.Stream() {
			r.HandleStream(now, 0, turntest.Framed(datagram))
			return nil
		}
		r.HandleInput(now, 0, rigServer, datagram)
		return nil
	})
}

// advance serves the deadlines on the way. What came out of them all is kept.
func (r *rig) advance(d time.Duration) (wakes int) {
	r.t.Helper()
	to := r.now + d
	var sent [][]byte
	var told []client.Event
	for at, ok := r.PollTimeout(); ok && at <= to; at, ok = r.PollTimeout() {
		r.now = at
		r.HandleTimeout(at)
		r.drain()
		sent, told = append(sent, r.sent...), append(told, r.told...)
		if wakes++; wakes > 10_000 {
			r.t.Fatalf("I2: the deadlines make no progress: %q", r.TimeoutReason())
		}
	}
	r.now, r.sent, r.told = to, sent, told
	return wakes
}

func (r *rig) success(add func(b *turntest.Builder)) {
	r.t.Helper()
	b := turntest.Build(r.last.Method, turntest.Success, r.last.ID)
	if add != nil {
		add(b)
	}
	if r.last.Signed() {
		b.Integrity(rigKey)
	}
	r.input(b.Datagram())
}

// refuse answers the newest request with an error, signed if it was.
func (r *rig) refuse(code int) {
	r.t.Helper()
	b := turntest.Build(r.last.Method, turntest.Failure, r.last.ID).Error(code, "")
	if r.last.Signed() {
		b.Integrity(rigKey)
	}
	r.input(b.Datagram())
}

func (r *rig) challenge(code int, nonce string) {
	r.t.Helper()
	r.input(turntest.Build(r.last.Method, turntest.Failure, r.last.ID).Error(code, "").
		Text(turntest.AttrRealm, "example.org").Text(turntest.AttrNonce, nonce).Datagram())
}

func (r *rig) grant() {
	r.t.Helper()
	r.success(func(b *turntest.Builder) {
		b.Address(turntest.AttrXORRelayedAddress, rigRelayed).Lifetime(10 * time.Minute)
	})
}

// reach brings the client into a phase, with a server that behaves.
func (r *rig) reach(p client.Phase) *rig {
	r.t.Helper()
	if p >= client.PhaseAllocating {
		r.must(r.Allocate)
	}
	if p >= client.PhaseAuthenticated {
		r.challenge(401, "n1")
	}
	if p >= client.PhaseAllocated {
		r.grant()
	}
	if p >= client.PhaseClosing {
		r.close(2 * time.Second)
	}
	if p == client.PhaseClosed {
		r.success(func(b *turntest.Builder) { b.Lifetime(0) })
	}
	if r.Phase() != p {
		r.t.Fatalf("reached %v, not %v", r.Phase(), p)
	}
	return r
}

// bind binds a channel and has it confirmed.
func (r *rig) bind(peer netip.AddrPort) {
	r.t.Helper()
	r.must(func(now time.Duration) error { return r.BindChannel(now, peer) })
	r.channel, _ = r.last.Channel()
	r.success(nil)
}

func (r *rig) close(linger time.Duration) {
	r.t.Helper()
	r.must(func(now time.Duration) error {
		r.Close(now, linger)
		return nil
	})
}

// one is the only event of the kind that the last call told.
func (r *rig) one(kind client.EventKind) client.Event {
	r.t.Helper()
	var found []client.Event
	for _, e := range r.told {
		if e.Kind == kind {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		r.t.Fatalf("told %d times of %v: %+v", len(found), kind, r.told)
	}
	return found[0]
}

// nothing fails the test if the last call sent anything.
func (r *rig) nothing(why string) {
	r.t.Helper()
	for _, b := range r.sent {
		r.t.Errorf("%s: sent %s", why, turntest.Describe(b, rigKey))
	}
}

// release is the one datagram that the last call sent, which must be a signed
// Refresh with LIFETIME 0.
func (r *rig) release() *turntest.Message {
	r.t.Helper()
	if len(r.sent) != 1 {
		r.t.Fatalf("sent %d datagrams, want one release", len(r.sent))
	}
	m, err := turntest.Decode(r.sent[0])
	if err != nil {
		r.t.Fatal(err)
	}
	if lifetime, ok := m.Lifetime(); m.Method != turntest.MethodRefresh || !ok || lifetime != 0 || !m.Verify(rigKey) {
		r.t.Fatalf("sent %s, want a signed release", turntest.Describe(r.sent[0], rigKey))
	}
	return m
}
