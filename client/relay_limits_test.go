package client_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

// relayRig has a TCP allocation.
func relayRig(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, func(cfg *client.Config) {
		cfg.Transport, cfg.Relay = client.TransportStream, client.RelayTCP
	})
	r.must(r.Allocate)
	r.challengeOn(0, 401, "n1")
	r.answerOn(0, func(b *turntest.Builder) {
		b.Address(turntest.AttrXORRelayedAddress, rigRelayed).Lifetime(10 * time.Minute)
	})
	return r
}

// stream hands bytes of a flow in, and keeps what came out of all of them.
func (r *rig) stream(flow client.Flow, data []byte) {
	r.t.Helper()
	var sent [][]byte
	var told []client.Event
	for len(data) > 0 {
		took := r.HandleStream(r.now, flow, data)
		if took == 0 {
			r.t.Fatal("HandleStream takes nothing")
		}
		data = data[took:]
		r.drain()
		sent, told = append(sent, r.sent...), append(told, r.told...)
	}
	r.sent, r.told = sent, told
}

// answerOn answers the newest request with a signed success.
func (r *rig) answerOn(flow client.Flow, add func(b *turntest.Builder)) {
	r.t.Helper()
	b := turntest.Build(r.last.Method, turntest.Success, r.last.ID)
	add(b)
	r.stream(flow, b.Integrity(rigKey).Datagram())
}

func (r *rig) challengeOn(flow client.Flow, code int, nonce string) {
	r.t.Helper()
	r.stream(flow, turntest.Build(r.last.Method, turntest.Failure, r.last.ID).Error(code, "").
		Text(turntest.AttrRealm, "example.org").Text(turntest.AttrNonce, nonce).Datagram())
}

func connectionID(n int) func(*turntest.Builder) {
	return func(b *turntest.Builder) {
		b.Bytes(turntest.AttrConnectionID, []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	}
}

func (r *rig) connect(peer netip.AddrPort) error {
	r.t.Helper()
	return r.do(func(now time.Duration) error { return r.Connect(now, peer) })
}

// connected brings a connection to where its flow is the caller's.
func (r *rig) connected(peer netip.AddrPort, id int) client.Flow {
	r.t.Helper()
	if err := r.connect(peer); err != nil {
		r.t.Fatal(err)
	}
	r.answerOn(0, connectionID(id))
	flow := r.one(client.FlowNeeded).Flow
	r.must(func(now time.Duration) error {
		r.FlowOpened(now, flow)
		return nil
	})
	r.answerOn(flow, func(*turntest.Builder) {})
	r.one(client.ConnectionReady)
	return flow
}

func TestS03I11PendingConnects(t *testing.T) {
	r := relayRig(t)
	peers := manyPorts(66)
	for _, peer := range peers[:64] {
		if err := r.connect(peer); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.connect(peers[64]); !errors.Is(err, client.ErrLimit) {
		t.Errorf("the 65th Connect: %v", err)
	}
	r.must(r.Refresh)
	if r.last.Method != turntest.MethodRefresh {
		t.Error("Connects that wait hold up a Refresh")
	}
	r.advance(40 * time.Second)
	if err := r.connect(peers[65]); err != nil {
		t.Errorf("after the others have failed: %v", err)
	}
}

func TestS03I11Connections(t *testing.T) {
	r := relayRig(t)
	peers := manyPorts(1025)
	var last client.Flow
	for i, peer := range peers[:1024] {
		last = r.connected(peer, i+1)
	}
	if err := r.connect(peers[1024]); !errors.Is(err, client.ErrLimit) {
		t.Errorf("the 1025th connection: %v", err)
	}
	r.must(func(now time.Duration) error {
		r.FlowClosed(now, last)
		return nil
	})
	r.connected(peers[1024], 1025)
	r.close(0)
	lost := 0
	for _, e := range r.told {
		if e.Kind == client.ConnectionLost {
			lost++
		}
	}
	if lost != 1024 {
		t.Errorf("the close tells of %d connections that are lost", lost)
	}
}

// What an answer to a ConnectionBind may take of memory is bounded, whatever its
// length says.
func TestS03I11LongBindAnswer(t *testing.T) {
	for _, c := range []struct{ size, first int }{{4096, 100}, {4100, 100}, {4096, 4096}, {4100, 4100}} {
		size := c.size
		r := relayRig(t)
		if err := r.connect(rigPeer); err != nil {
			t.Fatal(err)
		}
		r.answerOn(0, connectionID(7))
		r.must(func(now time.Duration) error {
			r.FlowOpened(now, 1)
			return nil
		})
		answer := turntest.Build(turntest.MethodConnectionBind, turntest.Success, r.last.ID)
		answer.Bytes(turntest.AttrSoftware, make([]byte, size-20-4-24))
		datagram := answer.Integrity(rigKey).Datagram()
		if len(datagram) != size {
			t.Fatalf("an answer of %d bytes", len(datagram))
		}
		r.stream(1, datagram[:c.first])
		if size == 4096 {
			if c.first < size {
				r.stream(1, datagram[c.first:])
			}
			r.one(client.ConnectionReady)
		} else {
			r.one(client.StreamBroken)
			r.one(client.ConnectionFailed)
		}
	}
}

// A client whose connections are over holds no more than before them.
func TestS03ConnectionsLeaveNothing(t *testing.T) {
	r := relayRig(t)
	r.connected(rigPeer, 1)
	r.must(func(now time.Duration) error {
		r.FlowClosed(now, 1)
		return nil
	})
	before := turntest.Footprint(r.Client)
	flow := r.connected(rigPeer, 2)
	if more := turntest.Footprint(r.Client) - before; more > 160 {
		t.Errorf("a connection holds %d bytes", more)
	}
	r.must(func(now time.Duration) error {
		r.FlowClosed(now, flow)
		return nil
	})
	if left := turntest.Footprint(r.Client) - before; left > 0 {
		t.Errorf("a connection that is over leaves %d bytes", left)
	}
}

// Answers to ConnectionBinds that do not come hold up nothing else.
func TestS03I11PendingBinds(t *testing.T) {
	r := relayRig(t)
	for i, peer := range manyPorts(20) {
		if err := r.connect(peer); err != nil {
			t.Fatal(err)
		}
		r.answerOn(0, connectionID(i+1))
		r.must(func(now time.Duration) error {
			r.FlowOpened(now, client.Flow(i+1))
			return nil
		})
		if r.last.Method != turntest.MethodConnectionBind {
			t.Fatalf("bind %d waits", i+1)
		}
	}
	r.must(r.Refresh)
	if r.last.Method != turntest.MethodRefresh {
		t.Error("ConnectionBinds that wait hold up a Refresh")
	}
}

// An attempt is over when its time is, whether the deadline was served or not.
func TestS03AcceptTooLate(t *testing.T) {
	r := relayRig(t)
	r.must(func(now time.Duration) error { return r.CreatePermission(now, rigPeer.Addr()) })
	r.answerOn(0, func(*turntest.Builder) {})
	attempt := turntest.Build(turntest.MethodConnectionAttempt, turntest.Indication, turntest.TransactionID{1}).
		Address(turntest.AttrXORPeerAddress, rigPeer)
	connectionID(7)(attempt)
	r.stream(0, attempt.Datagram())
	at := r.one(client.ConnectionAttempted).Until
	if err := r.AcceptConnection(at, 7); !errors.Is(err, client.ErrNoConnection) {
		t.Errorf("AcceptConnection at its end: %v", err)
	}
}

// Numbers of connections are used again, but not those that are in use.
func TestS03NumbersWrap(t *testing.T) {
	if testing.Short() {
		t.Skip("65536 Connects")
	}
	r := relayRig(t)
	flow := r.connected(rigPeer, 1)
	refused := turntest.TransactionID{}
	for range 1 << 16 {
		if err := r.connect(rigOtherPort); err != nil {
			t.Fatal(err)
		}
		refused = r.last.ID
		r.stream(0, turntest.Build(turntest.MethodConnect, turntest.Failure, refused).Error(403, "").Integrity(rigKey).Datagram())
	}
	if err := r.connect(rigOtherPort); err != nil {
		t.Fatal(err)
	}
	if peer, _ := r.last.Address(turntest.AttrXORPeerAddress); peer != rigOtherPort {
		t.Errorf("the Connect is for %v", peer)
	}
	r.stream(flow, []byte("still there"))
	r.one(client.DataReceived)
}
