package client_test

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

// boundRig is an allocation with a channel to rigPeer, and its number.
func boundRig(t *testing.T) (*rig, uint16) {
	t.Helper()
	r := newRig(t).reach(client.PhaseAllocated)
	r.bind(rigPeer)
	return r, r.one(client.ChannelBound).Channel
}

func TestDataPathAllocatesNothing(t *testing.T) {
	r, number := boundRig(t)
	datagram := turntest.ChannelData(number, make([]byte, 1200))
	buf := make([]byte, client.Headroom+1200+client.Tailroom)
	for name, f := range map[string]func(){
		"HandleInput and PollEvent": func() {
			r.HandleInput(r.now, 0, rigServer, datagram)
			if e, ok := r.PollEvent(); !ok || len(e.Data) != 1200 {
				t.Fatal("nothing was received")
			}
		},
		"SendInPlace and PollTransmit": func() {
			if r.SendInPlace(r.now, rigPeer, buf, client.Headroom, client.Headroom+1200) != nil {
				t.Fatal("nothing was sent")
			}
			if x, ok := r.PollTransmit(); !ok || len(x.Data) != 1204 {
				t.Fatal("nothing was sent")
			}
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

// A received payload is a part of what was passed in; a sent one stays where it
// lies.
func TestDataPathCopiesNothing(t *testing.T) {
	r, number := boundRig(t)
	datagram := turntest.ChannelData(number, []byte("payload"))
	r.HandleInput(r.now, 0, rigServer, datagram)
	e, _ := r.PollEvent()
	if &e.Data[0] != &datagram[4] || cap(e.Data) < len(e.Data) {
		t.Error("a payload of ChannelData is a copy")
	}
	indication := turntest.Build(turntest.MethodData, turntest.Indication, turntest.TransactionID{}).
		Address(turntest.AttrXORPeerAddress, rigPeer).Text(turntest.AttrData, "payload").Datagram()
	r.HandleInput(r.now, 0, rigServer, indication)
	e, _ = r.PollEvent()
	if at := bytes.Index(indication, []byte("payload")); &e.Data[0] != &indication[at] {
		t.Error("a payload of a Data indication is a copy")
	}
	buf := make([]byte, 200)
	for _, peer := range []netip.AddrPort{rigPeer, rigOtherPort} {
		copy(buf[100:], "payload")
		if err := r.SendInPlace(r.now, peer, buf, 100, 107); err != nil {
			t.Fatal(err)
		}
		x, _ := r.PollTransmit()
		at := bytes.Index(x.Data, []byte("payload"))
		if at < 0 || &x.Data[at] != &buf[100] {
			t.Errorf("the transmit to %v is a copy", peer)
		}
	}
}

// An address may come written as IPv6 though it is IPv4.
func TestMappedAddressesAreTheSamePeer(t *testing.T) {
	r, _ := boundRig(t)
	mapped := netip.AddrPortFrom(netip.AddrFrom16(rigPeer.Addr().As16()), rigPeer.Port())
	r.must(func(now time.Duration) error { return r.Send(now, mapped, []byte("x")) })
	if _, _, err := turntest.DecodeChannelData(r.sent[0]); err != nil {
		t.Errorf("a payload to %v goes by %s", mapped, turntest.Describe(r.sent[0], nil))
	}
	r.HandleInput(r.now, 0, netip.AddrPortFrom(netip.AddrFrom16(rigServer.Addr().As16()), rigServer.Port()), []byte{0})
	if n := r.Stats().IgnoredSource; n != 0 {
		t.Error("the server's address, mapped, is another source")
	}
}
