package client

import (
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/stun/v3"
)

// odd are clients that no history leads to, as a forged snapshot may hold them:
// their bytes are well formed.
var odd = map[string]func(*Client){
	"nobody signs, but a request is signed":     func(c *Client) { c.auth.signer = nil },
	"a nonce of another making":                 func(c *Client) { c.auth.nonce = "obMatJos2////" },
	"a signer without a name":                   func(c *Client) { c.auth.signer.username, c.auth.signer.realm = nil, nil },
	"a request signed by another":               func(c *Client) { c.requests[0].signer = newCredential([]byte("bob"), nil, nil) },
	"a request that nobody signs":               func(c *Client) { c.requests[0].signer = nil },
	"the same request twice":                    func(c *Client) { again := *c.requests[0]; c.requests = append(c.requests, &again) },
	"two refreshes":                             func(c *Client) { r := *c.requests[0]; r.id[3]++; c.requests = append(c.requests, &r) },
	"a probe for no channel":                    func(c *Client) { c.requests[0].purpose, c.requests[0].number = forProbe, 1 },
	"a probe for a channel that is asked for":   func(c *Client) { c.requests[0].purpose, c.requests[0].number = forProbe, c.numberOf(0) },
	"a ChannelBind of a channel nobody asked":   func(c *Client) { c.requests[0].purpose, c.requests[0].number = forChannel, c.numberOf(1) },
	"permissions for whom there is none":        func(c *Client) { c.requests[0].purpose, c.requests[0].peers = forPermission, manyOf(256) },
	"a request that was sent in the far future": func(c *Client) { c.requests[0].firstAt, c.requests[0].lastAt = maxSpan, maxSpan },
	"a request that was due long ago":           func(c *Client) { c.requests[0].dueAt = 1 },
	"a request that was never sent":             func(c *Client) { c.requests[0].sends, c.requests[0].dueAt = 0, 0 },
	"a request held for ever":                   func(c *Client) { c.requests[0].heldSends, c.requests[0].held = maxSends, &verdict{code: 403} },
	"a channel twice":                           func(c *Client) { c.channels = append(c.channels, c.channels[0]) },
	"channels without permissions":              func(c *Client) { c.permissions = nil },
	"a permission twice":                        func(c *Client) { c.permissions = append(c.permissions, c.permissions[0], c.permissions[0]) },
	"permissions that are due, and not wanted":  func(c *Client) { c.permissions[0] = permission{addr: oddPeer.Addr(), refreshAt: 1, goodUntil: 2} },
	"a permission that is due, and good never": func(c *Client) {
		c.permissions[0] = permission{addr: oddPeer.Addr(), refreshAt: 1, told: true, asked: true}
	},
	"a channel that is due, and not wanted":    func(c *Client) { c.channels[0] = channel{peer: oddPeer, refreshAt: 1, goodUntil: 2, sentAt: 1} },
	"a channel that is busy without a request": func(c *Client) { c.channels[1].busy = true },
	"a payload for nobody":                     func(c *Client) { c.enqueue(netip.AddrPort{}, []byte("x")) },
	"a payload for port 0":                     func(c *Client) { c.enqueue(netip.AddrPortFrom(oddPeer.Addr(), 0), []byte("x")) },
	"a payload for whom nobody asks":           func(c *Client) { c.enqueue(netip.MustParseAddrPort("[2001:db8::9]:9"), nil) },
	"an allocation that expires in 36 years":   func(c *Client) { c.alloc.expiresAt, c.lease.until = maxSpan, maxSpan },
	"an allocation that has expired":           func(c *Client) { c.alloc.expiresAt, c.lease.until = 1, 1 },
	"a refresh that was due long ago":          func(c *Client) { c.alloc.refreshAt = 1 },
	"an allocation of the future":              func(c *Client) { c.alloc.madeAt = maxSpan },
	"another allocation that is forgone": func(c *Client) {
		c.forgone = append(c.forgone, forgone{transactionID{1}, forAllocate, nil}, forgone{transactionID{2}, forBind, nil})
	},
	"a keepalive of long ago":  func(c *Client) { c.cfg.options.keepaliveAt = 1 },
	"a port that is to be had": func(c *Client) { c.reusableAt = maxSpan },
	"no round trip":            func(c *Client) { c.trip = roundTrip{math.MaxUint32, math.MaxUint32} },
	"flows without end":        func(c *Client) { c.flow, c.nextFlow, c.ports = math.MaxUint32, math.MaxUint32, maxPorts },
	"an error that waits":      func(c *Client) { c.expired = &verdict{code: 699, reason: "x", bare: true} },
	"anonymous, all of a sudden": func(c *Client) {
		c.cfg.anonymous, c.auth.signer.modern = true, &modern{terms: terms{algorithm: algorithmSHA256, userhash: true}}
	},
	"a token without a key": func(c *Client) { c.auth.signer.modern = &modern{token: make([]byte, maxToken)} },
}

var oddPeer = netip.MustParseAddrPort("203.0.113.7:7")

func manyOf(n int) (addrs []netip.Addr) {
	for i := range n {
		addrs = append(addrs, netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}))
	}
	return addrs
}

const oddNow = 1000 * time.Hour

// oddClient holds an allocation, two channels, and a Refresh that is in flight.
func oddClient(t *testing.T) *Client {
	server := netip.MustParseAddrPort("192.0.2.1:3478")
	c, err := New(Config{Server: server, Username: []byte("alice"), Password: []byte("secret"), Keepalive: time.Minute, AutoPermission: true, Rand: rand.NewChaCha8([32]byte{3})})
	if err != nil {
		t.Fatal(err)
	}
	c.now, c.phase = oddNow, PhaseAllocated
	c.alloc = &allocation{mapped: server, lifetime: time.Hour, madeAt: oddNow - 1, expiresAt: oddNow + time.Hour, refreshAt: oddNow + time.Minute}
	c.lease = lease{until: oddNow + time.Hour, granted: time.Hour, signed: true, relayed: server}
	c.auth.nonce, c.auth.nonceAge, c.auth.proven = "n", 1, true
	c.auth.signer = newCredential([]byte("alice"), []byte("secret"), []byte("example.org"))
	for _, peer := range []netip.AddrPort{netip.MustParseAddrPort("203.0.113.1:1"), netip.MustParseAddrPort("203.0.113.2:2")} {
		c.channels = append(c.channels, channel{peer: peer, wanted: true, asked: true, told: true, sentAt: oddNow, goodUntil: oddNow + time.Minute, refreshAt: oddNow + time.Second})
		c.permissions = append(c.permissions, permission{addr: peer.Addr(), wanted: true, asked: true, told: true, sentAt: oddNow, goodUntil: oddNow + time.Minute, refreshAt: oddNow + time.Second})
	}
	c.requests = []*transaction{{
		id: transactionID{9}, purpose: forRefresh, signer: c.auth.signer, nonce: "n", nonceAge: 1,
		sends: 1, rto: 500, firstAt: oddNow, lastAt: oddNow, dueAt: oddNow + 500*time.Millisecond,
	}}
	return c
}

// answers of a server that is the forger's: to every request the same.
var oddAnswers = []struct {
	class stun.MessageClass
	code  stun.ErrorCode
}{
	{stun.ClassSuccessResponse, 0}, {stun.ClassErrorResponse, 300}, {stun.ClassErrorResponse, 400}, {stun.ClassErrorResponse, 401},
	{stun.ClassErrorResponse, 403}, {stun.ClassErrorResponse, 437}, {stun.ClassErrorResponse, 438}, {stun.ClassErrorResponse, 441}, {stun.ClassErrorResponse, 500},
}

func oddAnswer(i int, id transactionID, m stun.Method, key []byte, n byte) []byte {
	a := oddAnswers[i]
	x := &stun.Message{TransactionID: id, Type: stun.NewType(m, a.class)}
	x.WriteHeader()
	if a.code != 0 {
		_ = stun.ErrorCodeAttribute{Code: a.code}.AddTo(x)
		x.Add(stun.AttrNonce, []byte{'n', n})
		x.Add(stun.AttrRealm, []byte("example.org"))
	} else {
		x.Add(stun.AttrLifetime, []byte{0, 0, 2, 0x58})
		_ = (&stun.XORMappedAddress{IP: []byte{192, 0, 2, 9}, Port: 9}).AddToAs(x, stun.AttrXORRelayedAddress)
	}
	if key != nil {
		_ = stun.MessageIntegrity(key).AddTo(x)
	}
	return x.Raw
}

// Whatever well-formed bytes say, it is ErrSnapshot or a client that ends, and
// whose deadlines lie in the future.
func TestI12ForgedClients(t *testing.T) {
	for name, change := range odd {
		c := oddClient(t)
		change(c)
		b, err := c.Snapshot(oddNow, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		for i := range oddAnswers {
			for _, signed := range []bool{false, true} {
				oddLife(t, name, b, i, signed)
			}
		}
	}
}

func oddLife(t *testing.T, name string, snapshot []byte, answer int, signed bool) {
	c, err := Restore(oddNow, 0, snapshot, rand.NewChaCha8([32]byte{4}))
	if errors.Is(err, ErrSnapshot) {
		return
	}
	if err != nil {
		t.Fatal(name, err)
	}
	now := time.Duration(oddNow)
	reply := func(id transactionID, m stun.Method, n int) {
		var key []byte
		if signed && c.auth.signer != nil {
			key = c.auth.signer.key[:16]
		}
		c.HandleInput(now, c.flow, c.cfg.server, oddAnswer(answer, id, m, key, byte(n)))
	}
	for _, tx := range slices.Clone(c.requests) {
		reply(tx.id, tx.purpose.method(), 1)
	}
	for step := range 60 {
		for n := 0; n < 2000; n++ {
			x, sent := c.PollTransmit()
			_, told := c.PollEvent()
			if !sent && !told {
				break
			}
			m := &stun.Message{Raw: x.Data}
			if sent && len(x.Data) > 20 && stun.IsMessage(x.Data) && m.Decode() == nil && m.Type.Class == stun.ClassRequest && n < 50 {
				reply(m.TransactionID, m.Type.Method, n)
			}
		}
		at, ok := c.PollTimeout()
		if ok && at <= now && step > 0 {
			t.Fatalf("%s, answer %d: at %v the next deadline (%s) is at %v", name, answer, now, c.TimeoutReason(), at)
		}
		if step == 50 {
			c.Close(now, time.Second)
		}
		if ok {
			now = max(now, at)
			c.HandleTimeout(now)
		}
	}
	if size := len(c.permissions) + len(c.channels) + len(c.requests); size > 2000 {
		t.Errorf("%s: it has grown to %d", name, size)
	}
	if c.Phase() != PhaseClosed && c.Phase() != PhaseNew {
		t.Errorf("%s, answer %d: phase %v after a Close", name, answer, c.Phase())
	}
}
