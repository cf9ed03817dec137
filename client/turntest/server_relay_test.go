package turntest

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

var dataAddr = netip.MustParseAddrPort("198.51.100.7:50001")

// newRelayRig has a TCP allocation.
func newRelayRig(t *testing.T, cfg ServerConfig) *rig {
	cfg.RelayTCP = true
	r := newRig(t, cfg)
	tcp := func(b *Builder) { b.Transport(6) }
	r.request(MethodAllocate, "", tcp)
	r.wantExactly(r.request(MethodAllocate, alice, tcp), "Allocate success XOR-RELAYED-ADDRESS=192.0.2.1:49152 LIFETIME=600s XOR-MAPPED-ADDRESS=198.51.100.7:50000 integrity=ok")
	return r
}

func (r *rig) wantExactly(got, want string) {
	r.Helper()
	if got != want {
		r.Errorf("got  %s\nwant %s", got, want)
	}
}

func toPeer(b *Builder) { b.Address(AttrXORPeerAddress, peerAddr) }

func (r *rig) bindConnection(id uint32) string {
	r.Helper()
	add := func(b *Builder) { b.Bytes(AttrConnectionID, binary.BigEndian.AppendUint32(nil, id)) }
	nonce := r.nonce
	r.from = dataAddr
	defer func() { r.from, r.nonce = clientAddr, nonce }()
	if answer := r.request(MethodConnectionBind, alice, add); answer[:len("ConnectionBind error")] != "ConnectionBind error" {
		return answer
	}
	return r.request(MethodConnectionBind, alice, add) // the connection has a nonce of its own
}

func TestServerConnects(t *testing.T) {
	closed := netip.MustParseAddrPort("203.0.113.9:1")
	r := newRelayRig(t, ServerConfig{Unreachable: []netip.AddrPort{closed}})
	r.wantExactly(r.request(MethodConnect, alice, nil), `Connect error ERROR-CODE=400:"Bad Request" integrity=ok`)
	r.wantExactly(r.request(MethodConnect, alice, func(b *Builder) { b.Address(AttrXORPeerAddress, closed) }), `Connect error ERROR-CODE=447:"Connection Timeout or Failure" integrity=ok`)
	r.wantExactly(r.request(MethodConnect, alice, toPeer), "Connect success CONNECTION-ID=00000001 integrity=ok")
	r.wantExactly(r.request(MethodConnect, alice, toPeer), `Connect error ERROR-CODE=446:"Connection Already Exists" integrity=ok`)
	r.s.PeerSends(r.now, netip.MustParseAddrPort("192.0.2.1:49152"), peerAddr, []byte("early"))
	r.wantExactly(r.bindConnection(2), `ConnectionBind error ERROR-CODE=400:"Bad Request" integrity=ok`)
	r.wantExactly(r.bindConnection(1), "ConnectionBind success CONNECTION-ID=00000001 integrity=ok\ngarbage of 5 bytes: turntest: not a STUN message")
	if all, bound := r.s.Connections(); all != 1 || bound != 1 {
		t.Errorf("it holds %d connections, %d bound", all, bound)
	}
	r.s.Handle(r.now, serverAddr, dataAddr, []byte("to the peer"))
	if d, ok := r.s.Poll(); !ok || string(d.Data) != "to the peer" || d.To != peerAddr {
		t.Errorf("the peer gets %+v", d)
	}
	r.s.StreamEnds(r.now, dataAddr)
	r.wantExactly(r.request(MethodConnect, alice, toPeer), "Connect success CONNECTION-ID=00000002 integrity=ok")
	r.now += 30 * time.Second
	r.wantExactly(r.bindConnection(2), `ConnectionBind error ERROR-CODE=400:"Bad Request" integrity=ok`)
}

func TestServerTellsOfPeers(t *testing.T) {
	r := newRelayRig(t, ServerConfig{UnsignedBind: true})
	relayed := netip.MustParseAddrPort("192.0.2.1:49152")
	if r.s.PeerConnects(r.now, relayed, peerAddr) {
		t.Error("a peer without a permission is let through")
	}
	r.request(MethodCreatePermission, alice, toPeer)
	if !r.s.PeerConnects(r.now, relayed, peerAddr) {
		t.Fatal("a peer with a permission is not let through")
	}
	d, _ := r.s.Poll()
	r.wantExactly(Describe(d.Data, nil), "ConnectionAttempt indication XOR-PEER-ADDRESS=203.0.113.9:4000 CONNECTION-ID=00000001")
	r.wantExactly(r.bindConnection(1), "ConnectionBind success CONNECTION-ID=00000001")
	r.s.StreamEnds(r.now, clientAddr)
	if all, _ := r.s.Connections(); all != 0 || r.s.Allocations() != 0 {
		t.Error("the control connection's end leaves something")
	}
}

func TestServerWithoutTCPAllocations(t *testing.T) {
	r := newRig(t, ServerConfig{})
	tcp := func(b *Builder) { b.Transport(6) }
	r.request(MethodAllocate, "", tcp)
	r.wantExactly(r.request(MethodAllocate, alice, tcp), `Allocate error ERROR-CODE=442:"Unsupported Transport Protocol" integrity=ok`)
}
