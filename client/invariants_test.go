package client_test

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

// The rules of every run, each by itself. The simulation of turntest holds
// thousands of runs to all of them.

var everyPhase = []client.Phase{
	client.PhaseNew, client.PhaseAllocating, client.PhaseAuthenticated,
	client.PhaseAllocated, client.PhaseClosing, client.PhaseClosed,
}

// busy is a client with something of everything under way.
func busy(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, func(cfg *client.Config) { cfg.AutoPermission, cfg.Reallocate = true, true }).reach(client.PhaseAllocated)
	r.must(func(now time.Duration) error { return r.CreatePermission(now, manyAddrs(100)...) })
	for _, peer := range manyPorts(50) {
		r.must(func(now time.Duration) error { return r.BindChannel(now, peer) })
	}
	r.must(func(now time.Duration) error {
		return r.Send(now, netip.MustParseAddrPort("203.0.113.5:5"), []byte("x"))
	})
	r.must(r.Refresh)
	return r
}

func TestI01DrainingEnds(t *testing.T) {
	r := busy(t)
	r.refuse(437) // the Refresh waits its turn: whichever is newest
	r.advance(time.Hour)
	r.close(0)
	r.drain() // it fails the test when it does not end
	r.drain()
	if len(r.sent)+len(r.told) != 0 {
		t.Errorf("a drain after a drain brings %d datagrams and %v", len(r.sent), r.told)
	}
}

// I2, I3: in silence no phase wakes its owner without end, and every deadline
// lies ahead; the rig checks both.
func TestI02TheDeadlineMakesProgress(t *testing.T) {
	for _, p := range everyPhase {
		r := newRig(t).reach(p)
		if n := r.advance(24 * time.Hour); n > 1000 {
			t.Errorf("in phase %v a day of silence makes %d wakes", p, n)
		}
	}
	busy(t).advance(24 * time.Hour)
}

func TestI03AWakeThatIsNotDueDoesNothing(t *testing.T) {
	for _, p := range everyPhase {
		r := newRig(t).reach(p)
		before, ok := r.PollTimeout()
		r.must(func(now time.Duration) error {
			r.HandleTimeout(now)
			r.HandleTimeout(now - time.Minute) // the clock does not go back
			return nil
		})
		after, still := r.PollTimeout()
		if len(r.sent)+len(r.told) != 0 || before != after || ok != still {
			t.Errorf("in phase %v: sent %d, told %v, deadline %v then %v", p, len(r.sent), r.told, before, after)
		}
	}
}

func TestI04NoDataToAPeerWithoutPermission(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	refused := func(why string, want error) {
		t.Helper()
		if err := r.do(func(now time.Duration) error { return r.Send(now, rigPeer, []byte("x")) }); !errors.Is(err, want) {
			t.Errorf("%s: Send answers %v", why, err)
		}
		r.nothing(why)
	}
	refused("never asked for", client.ErrNoPermission)
	r.must(func(now time.Duration) error { return r.CreatePermission(now, rigPeer.Addr()) })
	refused("not confirmed", nil) // it waits
	r.success(nil)
	if len(r.sent) != 1 {
		t.Errorf("confirmed: %d datagrams", len(r.sent))
	}
	r.must(func(now time.Duration) error { return r.RemovePermission(now, rigPeer.Addr()) })
	r.advance(5*time.Minute - 1)
	r.must(func(now time.Duration) error { return r.Send(now, rigPeer, []byte("x")) })
	if len(r.sent) != 1 {
		t.Errorf("a nanosecond before it runs out: %d datagrams", len(r.sent))
	}
	r.advance(1)
	refused("run out", client.ErrNoPermission)
}

// H3: a number, and a peer, meet another not before 900 s after the last send of
// any bind of the pair.
func TestI05H03Quarantine(t *testing.T) {
	r := newRig(t).reach(client.PhaseAllocated)
	peers := manyPorts(4097)
	for _, peer := range peers[:4096] {
		r.must(func(now time.Duration) error { return r.BindChannel(now, peer) })
		if m := r.last; m.Method == turntest.MethodChannelBind && len(r.sent) == 1 && peer == peers[0] {
			r.success(nil)
		}
	}
	bound := r.now
	for _, peer := range peers[:4096] {
		r.must(func(now time.Duration) error { return r.UnbindChannel(now, peer) })
	}
	for r.answer(); r.Phase() == client.PhaseAllocated && r.now < bound+14*time.Minute; r.advance(time.Minute) {
		r.answer()
	}
	another := func() error {
		return r.do(func(now time.Duration) error { return r.BindChannel(now, peers[4096]) })
	}
	if err := another(); !errors.Is(err, client.ErrNoChannel) {
		t.Fatalf("inside the quarantine another peer gets %v", err)
	}
	r.advance(bound + 16*time.Minute - r.now)
	if err := another(); err != nil {
		t.Errorf("after the quarantine another peer gets %v", err)
	}
}

// answer answers what is sent, until nothing is.
func (r *rig) answer() {
	r.t.Helper()
	queue := r.sent
	for len(queue) > 0 {
		m, err := turntest.Decode(queue[0])
		queue = queue[1:]
		if err != nil || m.Class != turntest.Request {
			continue
		}
		r.last = m
		r.success(func(b *turntest.Builder) {
			if m.Method == turntest.MethodRefresh {
				b.Lifetime(10 * time.Minute)
			}
		})
		queue = append(queue, r.sent...)
	}
}

func TestI06T03AResendIsTheSameBytes(t *testing.T) {
	r := busy(t)
	seen := map[turntest.TransactionID][]byte{}
	r.advance(time.Hour)
	resends := 0
	for _, b := range r.sent {
		m, err := turntest.Decode(b)
		if err != nil || m.Class != turntest.Request {
			continue
		}
		if first, ok := seen[m.ID]; ok {
			resends++
			if !bytes.Equal(first, b) {
				t.Errorf("under one ID\n%s\n%s", turntest.Describe(first, rigKey), turntest.Describe(b, rigKey))
			}
		}
		seen[m.ID] = b
	}
	if resends < 50 {
		t.Errorf("%d resends in an hour of silence", resends)
	}
}

// I7: after credentials were sent no unauthenticated datagram changes the phase
// or brings an event: every class, method and code, in every phase from then on.
func TestI07UnauthenticatedAnswersChangeNothing(t *testing.T) {
	methods := []turntest.Method{
		turntest.MethodBinding, turntest.MethodAllocate, turntest.MethodRefresh, turntest.MethodSend, turntest.MethodData,
		turntest.MethodCreatePermission, turntest.MethodChannelBind, turntest.MethodConnect,
	}
	for _, p := range everyPhase[client.PhaseAuthenticated:client.PhaseClosed] {
		for _, method := range methods {
			r := newRig(t).reach(p)
			if p == client.PhaseAllocated {
				r.must(r.Refresh)
			}
			for code := 300; code < 700; code++ {
				if code == 438 {
					continue // A10: it acts at once
				}
				r.unmoved(p, turntest.Build(method, turntest.Failure, r.last.ID).Error(code, "").
					Text(turntest.AttrRealm, "evil.org").Text(turntest.AttrNonce, "evil").Datagram())
			}
			for _, class := range []turntest.Class{turntest.Request, turntest.Indication, turntest.Success} {
				r.unmoved(p, turntest.Build(method, class, r.last.ID).Lifetime(0).
					Address(turntest.AttrXORRelayedAddress, netip.MustParseAddrPort("192.0.2.66:1")).
					Address(turntest.AttrXORPeerAddress, rigPeer).Text(turntest.AttrData, "x").Datagram())
			}
		}
	}
}

func (r *rig) unmoved(p client.Phase, datagram []byte) {
	r.t.Helper()
	r.input(datagram)
	r.nothing(turntest.Describe(datagram, nil))
	if r.Phase() != p || len(r.told) != 0 {
		r.t.Errorf("%s: the phase goes from %v to %v, events %v", turntest.Describe(datagram, nil), p, r.Phase(), r.told)
	}
}

func TestI08NothingAfterClosed(t *testing.T) {
	for _, p := range everyPhase {
		r := newRig(t).reach(p)
		r.close(0)
		if p != client.PhaseClosed {
			r.one(client.Closed)
		}
		for name, call := range map[string]func(now time.Duration) error{
			"Allocate": r.Allocate, "Refresh": r.Refresh,
			"CreatePermission": func(now time.Duration) error { return r.CreatePermission(now, rigPeer.Addr()) },
			"RemovePermission": func(now time.Duration) error { return r.RemovePermission(now, rigPeer.Addr()) },
			"BindChannel":      func(now time.Duration) error { return r.BindChannel(now, rigPeer) },
			"UnbindChannel":    func(now time.Duration) error { return r.UnbindChannel(now, rigPeer) },
			"Send":             func(now time.Duration) error { return r.Send(now, rigPeer, nil) },
			"SetCredentials":   func(now time.Duration) error { return r.SetCredentials(now, []byte("u"), []byte("p")) },
		} {
			if err := r.do(call); !errors.Is(err, client.ErrClosed) {
				t.Errorf("%s after Closed answers %v", name, err)
			}
			r.silent(name)
		}
		r.close(time.Second)
		r.silent("Close")
		r.must(func(now time.Duration) error {
			r.FlowOpened(now, 1)
			r.FlowClosed(now, 0)
			r.PathError(now, 0)
			r.HandleTimeout(now + time.Hour)
			r.HandleInput(now, 0, rigServer, turntest.ChannelData(0x4000, nil))
			return nil
		})
		r.silent("the world")
		if _, _, owed := r.Parting(r.now, nil); owed {
			t.Errorf("closed in phase %v it has a parting datagram", p)
		}
	}
}

func (r *rig) silent(why string) {
	r.t.Helper()
	r.nothing(why + " after Closed")
	if at, ok := r.PollTimeout(); ok || len(r.told) != 0 {
		r.t.Errorf("%s after Closed: events %v, deadline %v", why, r.told, at)
	}
}

func TestI09TheSameSeedGivesTheSameTranscript(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		first, err := turntest.RunScript(string(text), new(turntest.NativeDriver))
		if err != nil {
			t.Fatal(err)
		}
		if second, _ := turntest.RunScript(string(text), new(turntest.NativeDriver)); first != second {
			t.Errorf("two runs of %s differ: %s", file, turntest.DiffScript(first, second))
		}
	}
}
