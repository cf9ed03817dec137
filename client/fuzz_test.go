package client_test

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

// captured answers what real servers sent, datagram by datagram: the lines of
// testdata/captures/*.hex.
func captured(t testing.TB) [][]byte {
	files, err := filepath.Glob("testdata/captures/*.hex")
	if err != nil || len(files) == 0 {
		t.Fatal("no captures in testdata/captures:", err)
	}
	var all [][]byte
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			b, err := hex.DecodeString(lines.Text())
			if err != nil {
				t.Fatal(file, err)
			}
			all = append(all, b)
		}
		f.Close()
	}
	return all
}

// FuzzInput drives one client with datagrams of the fuzzer's, in every phase,
// and checks the rules of every run after each step. The input is a list of
// steps: an operation, a length, so many bytes.
func FuzzInput(f *testing.F) {
	for _, datagram := range captured(f) {
		for phase := range byte(6) {
			f.Add(append([]byte{phase, opRaw, byte(min(len(datagram), 255))}, datagram...))
			f.Add(append([]byte{phase, opAnswer, byte(min(len(datagram)-20, 255))}, datagram[min(20, len(datagram)):]...))
		}
	}
	// A signed success with LIFETIME 10 s and a relayed address, in each phase.
	for phase := range byte(6) {
		f.Add([]byte{phase, opSigned, 21, 0, 0, 0x0d, 0, 4, 0, 0, 0, 10, 0, 0x16, 0, 8, 0, 1, 0xaa, 0xaa, 1, 2, 3, opTimeout, 0, opTimeout, 0})
		f.Add([]byte{phase, opSigned, 9, 1, 0, 9, 0, 4, 0, 0, 4, 37, opTimeout, 0, opCommand, 2, 9, 10, opTimeout, 0})
	}
	f.Add([]byte{0, opCommand, 1, 0, opAnswer, 4, 0x01, 0x13, 0, 0, opTimeout, 0, opCommand, 1, 9})
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		h := newHostile(t)
		h.reach(client.Phase(in[0] % 6))
		in = in[1:]
		for steps := 0; len(in) >= 2 && steps < 200; steps++ {
			op, n := in[0], min(int(in[1]), len(in)-2)
			h.step(op, in[2:2+n])
			in = in[2+n:]
		}
	})
}

// The fuzzer's operations.
const (
	opRaw     = iota // the bytes as a datagram
	opAnswer         // type and attributes of an unsigned answer to the last request
	opSigned         // the same, with a valid MESSAGE-INTEGRITY
	opTimeout        // the next deadline
	opCommand        // a command
	opSpoof          // the bytes from elsewhere
	opCount
)

var (
	hostileServer = netip.MustParseAddrPort("192.0.2.1:3478")
	hostilePeer   = netip.MustParseAddrPort("198.51.100.7:9000")
)

// hostile is a client, what it has sent, and what it may do.
type hostile struct {
	t      *testing.T
	c      *client.Client
	now    time.Duration
	last   turntest.TransactionID
	method turntest.Method
	sent   map[turntest.TransactionID]string
	bound  map[uint16]bool
	closed bool
}

func newHostile(t *testing.T) *hostile {
	seed := [32]byte{1}
	c, err := client.New(client.Config{
		Server: hostileServer, Username: []byte("alice"), Password: []byte("secret"),
		AutoPermission: true, Reallocate: true, Reclaim: true, Rand: rand.NewChaCha8(seed),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &hostile{t: t, c: c, now: time.Second, sent: map[turntest.TransactionID]string{}, bound: map[uint16]bool{}}
}

// reach brings the client into a phase, with a server that behaves.
func (h *hostile) reach(p client.Phase) {
	if p == client.PhaseNew {
		return
	}
	h.try(h.c.Allocate(h.now))
	if p >= client.PhaseAuthenticated {
		h.answer(turntest.Build(h.method, turntest.Failure, h.last).Error(401, "").
			Text(turntest.AttrRealm, "example.org").Text(turntest.AttrNonce, "n1").Datagram())
	}
	if p >= client.PhaseAllocated {
		h.answer(turntest.Build(h.method, turntest.Success, h.last).
			Address(turntest.AttrXORRelayedAddress, netip.MustParseAddrPort("192.0.2.1:50000")).
			Lifetime(10 * time.Minute).Integrity(h.key()).Datagram())
		h.try(h.c.BindChannel(h.now, hostilePeer))
		h.answer(turntest.Build(h.method, turntest.Success, h.last).Integrity(h.key()).Datagram())
	}
	if p >= client.PhaseClosing {
		h.c.Close(h.now, 2*time.Second)
		h.drain()
	}
	if p == client.PhaseClosed {
		h.c.Close(h.now, 0)
		h.drain()
	}
	if h.c.Phase() != p {
		h.t.Fatalf("phase %v, want %v", h.c.Phase(), p)
	}
}

func (h *hostile) key() []byte { return turntest.LongTermKey("alice", "example.org", "secret") }

func (h *hostile) try(err error) {
	if err != nil {
		h.t.Fatal(err)
	}
	h.drain()
}

func (h *hostile) answer(datagram []byte) {
	h.c.HandleInput(h.now, 0, hostileServer, datagram)
	h.drain()
}

func (h *hostile) step(op byte, b []byte) {
	h.now += time.Millisecond
	if at, ok := h.c.PollTimeout(); ok && at <= h.now {
		h.timeout() // a host serves its timer before the next datagram
		h.drain()
	}
	switch op % opCount {
	case opRaw:
		h.unsigned(hostileServer, b)
	case opSpoof:
		h.unsigned(netip.MustParseAddrPort("203.0.113.9:1"), b)
	case opAnswer:
		h.unsigned(hostileServer, h.compose(b))
	case opSigned:
		h.c.HandleInput(h.now, 0, hostileServer, h.sign(h.compose(b)))
	case opTimeout:
		h.timeout()
	case opCommand:
		h.command(b)
	}
	h.drain()
}

// unsigned input changes no phase once credentials were sent (I7).
func (h *hostile) unsigned(from netip.AddrPort, datagram []byte) {
	before := h.c.Phase()
	h.c.HandleInput(h.now, 0, from, datagram)
	if after := h.c.Phase(); before >= client.PhaseAuthenticated && after != before {
		h.t.Fatalf("I7: an unsigned datagram led from %v to %v", before, after)
	}
}

// compose makes an answer to the last request: the first byte chooses the
// class, the rest are the attributes.
func (h *hostile) compose(b []byte) []byte {
	class := turntest.Success
	if len(b) > 0 && b[0]&1 != 0 {
		class = turntest.Failure
	}
	m := turntest.Build(h.method, class, h.last).Datagram()
	if len(b) > 1 {
		m = append(m, b[1:]...)
		m = append(m, make([]byte, -len(m)&3)...)
	}
	m[2], m[3] = byte((len(m)-20)>>8), byte(len(m)-20)
	return m
}

// sign appends MESSAGE-INTEGRITY as the server would.
func (h *hostile) sign(m []byte) []byte {
	size := len(m) - 20 + 24
	m[2], m[3] = byte(size>>8), byte(size)
	return append(append(m, 0, 8, 0, 20), hmacSHA1(h.key(), m)...)
}

func (h *hostile) command(b []byte) {
	if len(b) == 0 {
		return
	}
	arg := byte(0)
	if len(b) > 1 {
		arg = b[1]
	}
	peer := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, arg}), 9000+uint16(arg&1))
	switch b[0] % 10 {
	case 0:
		_ = h.c.Allocate(h.now)
	case 1:
		_ = h.c.Refresh(h.now)
	case 2:
		_ = h.c.CreatePermission(h.now, peer.Addr(), hostilePeer.Addr())
	case 3:
		_ = h.c.RemovePermission(h.now, peer.Addr())
	case 4:
		_ = h.c.BindChannel(h.now, peer)
	case 5:
		_ = h.c.UnbindChannel(h.now, peer)
	case 6:
		_ = h.c.Send(h.now, peer, b)
	case 7:
		h.c.PathError(h.now, client.Flow(arg&1))
	case 8:
		h.c.FlowOpened(h.now, client.Flow(arg&3))
	case 9:
		h.c.Close(h.now, time.Duration(arg)*100*time.Millisecond)
	}
}

// timeout goes to the next deadline, which must make progress (I2).
func (h *hostile) timeout() {
	at, ok := h.c.PollTimeout()
	if !ok {
		return
	}
	h.now = max(h.now, at)
	h.c.HandleTimeout(h.now)
	if next, ok := h.c.PollTimeout(); ok && next <= h.now {
		h.t.Fatalf("I2: deadline %v is not behind %v: %s", next, h.now, h.c.TimeoutReason())
	}
}

// drain polls until nothing comes, and checks what does.
func (h *hostile) drain() {
	for n := 0; ; n++ {
		tr, ok := h.c.PollTransmit()
		if !ok {
			break
		}
		if n > 1100 {
			h.t.Fatal("I1: draining does not end")
		}
		if h.closed {
			h.t.Fatalf("I8: a datagram after Closed: %s", turntest.Describe(tr.Data, h.key()))
		}
		h.checkTransmit(tr)
	}
	for n := 0; ; n++ {
		e, ok := h.c.PollEvent()
		if !ok {
			break
		}
		if n > 6000 {
			h.t.Fatal("I1: draining does not end")
		}
		if h.closed {
			h.t.Fatalf("I8: an event after Closed: %v", e.Kind)
		}
		switch e.Kind {
		case client.ChannelBound:
			h.bound[e.Channel] = true
		case client.Closed:
			h.closed = true
		}
	}
	if at, ok := h.c.PollTimeout(); ok && at <= h.now {
		h.t.Fatalf("I3: deadline %v is not behind %v: %s", at, h.now, h.c.TimeoutReason())
	} else if ok && h.closed {
		h.t.Fatal("I8: a deadline after Closed")
	}
}

func (h *hostile) checkTransmit(tr client.Transmit) {
	if tr.To != hostileServer {
		h.t.Fatalf("a datagram to %v", tr.To)
	}
	if !turntest.IsSTUN(tr.Data) {
		number, _, err := turntest.DecodeChannelData(tr.Data)
		if err != nil || !h.bound[number] {
			h.t.Fatalf("I4: ChannelData on 0x%04x, which is not bound: %v", number, err)
		}
		return
	}
	m, err := turntest.Decode(tr.Data)
	if err != nil {
		h.t.Fatalf("sent what is not STUN: %v", err)
	}
	if m.Class != turntest.Request {
		return
	}
	if before, ok := h.sent[m.ID]; ok && before != string(tr.Data) {
		h.t.Fatalf("I6: a resend with other bytes: %s", turntest.Describe(tr.Data, h.key()))
	}
	h.sent[m.ID] = string(tr.Data)
	h.last, h.method = m.ID, m.Method
}

func hmacSHA1(key, data []byte) []byte {
	mac := hmac.New(sha1.New, key)
	mac.Write(data)
	return mac.Sum(nil)
}
