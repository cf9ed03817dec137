package turntest

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

var (
	serverAddr = netip.MustParseAddrPort("192.0.2.1:3478")
	clientAddr = netip.MustParseAddrPort("198.51.100.7:50000")
	peerAddr   = netip.MustParseAddrPort("203.0.113.9:4000")
	userKey    = LongTermKey("alice", "example.org", "secret")
)

// rig plays a client against a Server, with the codec alone.
type rig struct {
	*testing.T
	s     *Server
	now   time.Duration
	id    byte
	from  netip.AddrPort
	nonce string
}

func newRig(t *testing.T, cfg ServerConfig) *rig {
	cfg.Addr = serverAddr
	if cfg.Users == nil {
		cfg.Users = map[string]string{"alice": "secret", "bob": "hunter2"}
	}
	return &rig{T: t, s: NewServer(cfg), from: clientAddr}
}

func (r *rig) nextID() TransactionID { r.id++; return TransactionID{r.id} }

// send hands a datagram to the server and gives what it answers, "" = silence.
func (r *rig) send(datagram []byte) string {
	r.Helper()
	r.s.Handle(r.now, serverAddr, r.from, datagram)
	var out []string
	for d, ok := r.s.Poll(); ok; d, ok = r.s.Poll() {
		if m, err := Decode(d.Data); err == nil && m.Has(AttrNonce) {
			r.nonce = m.Text(AttrNonce)
		}
		out = append(out, Describe(d.Data, userKey))
	}
	return strings.Join(out, "\n")
}

func (r *rig) request(method Method, as string, add func(*Builder)) string {
	r.Helper()
	return r.send(r.build(r.nextID(), method, as, add))
}

// build signs as a user with the newest nonce; as nobody with "".
func (r *rig) build(id TransactionID, method Method, as string, add func(*Builder)) []byte {
	b := Build(method, Request, id)
	if add != nil {
		add(b)
	}
	if as == "" {
		return b.Datagram()
	}
	user, password, _ := strings.Cut(as, ":")
	b.Text(AttrUsername, user).Text(AttrRealm, "example.org").Text(AttrNonce, r.nonce)
	return b.Integrity(LongTermKey(user, "example.org", password)).Datagram()
}

const alice = "alice:secret"

func overUDP(b *Builder)  { b.Transport(17) }
func toZero(b *Builder)   { b.Lifetime(0) }
func withPeer(b *Builder) { b.Address(AttrXORPeerAddress, peerAddr) }

func onChannel(number uint16) func(*Builder) {
	return func(b *Builder) { b.Channel(number).Address(AttrXORPeerAddress, peerAddr) }
}

func (r *rig) want(got, want, why string) {
	r.Helper()
	if !strings.HasPrefix(got, want) {
		r.Errorf("%s: got\n%q\nwant it to begin\n%q", why, got, want)
	}
}

func (r *rig) wantHeld(n int, why string) {
	r.Helper()
	r.s.Tick(r.now)
	if got := r.s.Allocations(); got != n {
		r.Errorf("%s: %d allocations are held, want %d", why, got, n)
	}
}

func (r *rig) allocate() {
	r.Helper()
	if r.nonce == "" {
		r.request(MethodAllocate, "", overUDP)
	}
	r.want(r.request(MethodAllocate, alice, overUDP), "Allocate success", "a signed Allocate succeeds")
}

func TestServerAllocatesAfterAChallenge(t *testing.T) {
	r := newRig(t, ServerConfig{})
	r.want(r.request(MethodAllocate, "", overUDP),
		`Allocate error ERROR-CODE=401:"Unauthorized" REALM=example.org NONCE=n1`, "the first Allocate is challenged")
	r.want(r.request(MethodAllocate, alice, overUDP),
		"Allocate success XOR-RELAYED-ADDRESS=192.0.2.1:49152 LIFETIME=600s XOR-MAPPED-ADDRESS=198.51.100.7:50000 integrity=ok",
		"the signed one succeeds")
	r.wantHeld(1, "after the success")
}

func TestServerSecondAllocateIs437(t *testing.T) {
	for flavour, want := range map[Flavour]string{
		RFC:    `Allocate error ERROR-CODE=437:"Allocation Mismatch" integrity=ok`,
		Coturn: `Allocate error ERROR-CODE=437:"Allocation Mismatch"`,
		Pion:   "Allocate error ERROR-CODE=437",
	} {
		r := newRig(t, ServerConfig{Flavour: flavour})
		r.allocate()
		got := r.request(MethodAllocate, alice, overUDP)
		if got != want {
			t.Errorf("%v: got %s, want %s", flavour, got, want)
		}
		r.wantHeld(1, "the second Allocate changes nothing")
	}
}

func TestServerCoturnSays437ToAnUnsignedAllocate(t *testing.T) {
	r := newRig(t, ServerConfig{Flavour: Coturn})
	r.allocate()
	got := r.request(MethodAllocate, "", overUDP)
	r.want(got, "Allocate error ERROR-CODE=437", "a bound port earns 437 before any challenge")
	if strings.Contains(got, "NONCE") {
		t.Error("it carries no nonce")
	}
}

func TestServerRetransmittedAllocate(t *testing.T) {
	for _, flavour := range []Flavour{RFC, Coturn, Pion} {
		for _, replay := range []bool{false, true} {
			r := newRig(t, ServerConfig{Flavour: flavour, Replay: replay})
			r.request(MethodAllocate, "", overUDP)
			datagram := r.build(r.nextID(), MethodAllocate, alice, overUDP)
			first := r.send(datagram)
			if again := r.send(datagram); again != first {
				t.Errorf("%v: a copy is answered %s, the first was %s", flavour, again, first)
			}
			r.wantHeld(1, "two copies make one allocation")
		}
	}
}

func TestServerRejectsCredentials(t *testing.T) {
	for flavour, want := range map[Flavour]string{
		RFC: "Allocate error ERROR-CODE=401", Coturn: "Allocate error ERROR-CODE=401", Pion: "Allocate error ERROR-CODE=400",
	} {
		r := newRig(t, ServerConfig{Flavour: flavour})
		r.request(MethodAllocate, "", overUDP)
		r.want(r.request(MethodAllocate, "alice:wrong", overUDP), want, "a wrong password")
		r.want(r.request(MethodAllocate, "eve:x", overUDP), want, "an unknown user")
		r.wantHeld(0, "neither holds anything")
	}
}

func TestServerWithoutUsersAsksForNothing(t *testing.T) {
	r := newRig(t, ServerConfig{Users: map[string]string{}})
	got := r.request(MethodAllocate, "", overUDP)
	r.want(got, "Allocate success", "an open server allocates at once")
	if strings.Contains(got, "integrity") {
		t.Error("there is no key to sign with")
	}
	r.want(r.request(MethodRefresh, "", toZero), "Refresh success LIFETIME=0s", "and releases")
	r.wantHeld(0, "after the release")
}

func TestServerStaleNonce(t *testing.T) {
	r := newRig(t, ServerConfig{NonceLifetime: time.Minute})
	r.allocate()
	r.now = 61 * time.Second
	r.want(r.request(MethodRefresh, alice, nil),
		`Refresh error ERROR-CODE=438:"Stale Nonce" REALM=example.org NONCE=n2`, "the nonce has expired")
	r.want(r.request(MethodRefresh, alice, nil), "Refresh success LIFETIME=600s", "the new one serves")
	r.s.Arm(MethodRefresh, Stale)
	r.want(r.request(MethodRefresh, alice, toZero), "Refresh error ERROR-CODE=438", "a nonce expires at any step")
	r.want(r.request(MethodRefresh, alice, toZero), "Refresh success LIFETIME=0s", "signed again")
}

func TestServerAllocationExpires(t *testing.T) {
	r := newRig(t, ServerConfig{})
	r.allocate()
	r.now = 599 * time.Second
	r.wantHeld(1, "before its lifetime's end")
	r.now = 600 * time.Second
	r.wantHeld(0, "at its lifetime's end")
	r.want(r.request(MethodRefresh, alice, nil), "Refresh error ERROR-CODE=437", "nothing is left to refresh")
}

func TestServerReleaseAtOnce(t *testing.T) {
	r := newRig(t, ServerConfig{})
	r.allocate()
	datagram := r.build(r.nextID(), MethodRefresh, alice, toZero)
	r.want(r.send(datagram), "Refresh success LIFETIME=0s integrity=ok", "the release")
	r.wantHeld(0, "after it")
	r.want(r.send(datagram), `Refresh error ERROR-CODE=437:"Allocation Mismatch" integrity=ok`, "its copy")
}

func TestServerCoturnDeletesLate(t *testing.T) {
	r := newRig(t, ServerConfig{Flavour: Coturn})
	r.allocate()
	r.want(r.request(MethodRefresh, alice, toZero), "Refresh success LIFETIME=0s", "the release is answered")
	if h, ok := r.s.At(clientAddr); !ok || !h.Dying {
		t.Error("the allocation is dying, not gone")
	}
	r.want(r.request(MethodAllocate, alice, overUDP), "Allocate error ERROR-CODE=437", "the port is still bound")
	r.now += 2 * time.Second
	r.wantHeld(0, "two seconds later")
	r.want(r.request(MethodAllocate, alice, overUDP), "Allocate error ERROR-CODE=438", "the nonce went with it")
	r.want(r.request(MethodAllocate, alice, overUDP), "Allocate success", "and then well")
}

func TestServerCoturnRefreshRevives(t *testing.T) {
	r := newRig(t, ServerConfig{Flavour: Coturn})
	r.allocate()
	r.request(MethodRefresh, alice, toZero)
	r.want(r.request(MethodRefresh, alice, nil), "Refresh success LIFETIME=600s", "a Refresh within the second")
	r.now += 10 * time.Second
	r.wantHeld(1, "it has come back to life")
}

func TestServerPionIsSilentWithoutAllocation(t *testing.T) {
	r := newRig(t, ServerConfig{Flavour: Pion})
	r.allocate()
	r.want(r.request(MethodRefresh, alice, toZero), "Refresh success LIFETIME=0s", "the release")
	for _, method := range []Method{MethodRefresh, MethodCreatePermission, MethodChannelBind} {
		if got := r.request(method, alice, withPeer); got != "" {
			t.Errorf("%v to nothing is answered: %s", method, got)
		}
	}
	r.want(r.request(MethodAllocate, alice, overUDP), "Allocate success", "the port is free at once")
}

func TestServerWrongUser(t *testing.T) {
	for flavour, want := range map[Flavour]string{
		RFC: `Refresh error ERROR-CODE=441:"Wrong Credentials" integrity=`, Coturn: `Refresh error ERROR-CODE=441`, Pion: "",
	} {
		r := newRig(t, ServerConfig{Flavour: flavour})
		r.allocate()
		got := r.request(MethodRefresh, "bob:hunter2", toZero)
		r.want(got, want, "another user's release")
		if flavour == Pion && got != "" || flavour == Coturn && strings.Contains(got, "integrity") {
			t.Errorf("%v: %s", flavour, got)
		}
		r.wantHeld(1, "it releases nothing")
	}
}

func TestServerLifetimes(t *testing.T) {
	for _, tt := range []struct {
		flavour Flavour
		asked   time.Duration
		want    string
	}{
		{RFC, 10, "600s"}, {RFC, 1000, "1000s"}, {Coturn, 99999, "3600s"}, {Pion, 10, "10s"}, {Pion, 99999, "600s"},
	} {
		r := newRig(t, ServerConfig{Flavour: tt.flavour})
		r.allocate()
		r.want(r.request(MethodRefresh, alice, func(b *Builder) { b.Lifetime(tt.asked * time.Second) }),
			"Refresh success LIFETIME="+tt.want, tt.flavour.String())
	}
}
