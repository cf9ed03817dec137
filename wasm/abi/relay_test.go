package abi

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"github.com/turnwasm/turnwasm/client"
)

// What RFC 6062 needs crosses, too.
func TestS03RecordsComeBack(t *testing.T) {
	want := client.Config{Server: ipv4, Transport: client.TransportStream, Relay: client.RelayTCP, UnsignedBind: true}
	got, _, err := ParseConfig(AppendConfig(nil, &want, nil))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("config %+v, want %+v (%v)", got, want, err)
	}
	for _, want := range []Command{
		{Cmd: CmdConnect, Peers: []netip.AddrPort{ipv6}},
		{Cmd: CmdAcceptConnection, Peers: []netip.AddrPort{}, Connection: 0xFFFFFFFE},
	} {
		got := Command{Peers: []netip.AddrPort{}}
		if err := got.Parse(AppendCommand(nil, &want)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("command %+v, want %+v (%v)", got, want, err)
		}
	}
	for _, want := range []client.Event{
		{Kind: client.ConnectionAttempted, Peer: ipv4, ConnectionID: 7, Until: 30 * time.Second},
		{Kind: client.FlowNeeded, Method: stun.MethodConnectionBind, Flow: 3, Peer: ipv4, ConnectionID: 0xFFFFFFFF},
	} {
		got, err := ParseEvent(AppendEvent(nil, &want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("event %+v, want %+v (%v)", got, want, err)
		}
	}
}

// By hand: CMD 11, CONNECTION 0x01020304.
func TestS03AcceptByHand(t *testing.T) {
	want, _ := hex.DecodeString("01000200" + "0b000000" + "04000400" + "04030201")
	if got := AppendCommand(nil, &Command{Cmd: CmdAcceptConnection, Connection: 0x01020304}); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

func TestS03Codes(t *testing.T) {
	for _, err := range []error{client.ErrRelay, client.ErrConnected, client.ErrNoConnection} {
		if code := CodeOf(err); !errors.Is(code.Err(), err) {
			t.Errorf("%v is code %d, which is %v", err, code, code.Err())
		}
	}
}
