package client

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
)

// EventKind says what happened. The numbers are part of the ABI: they are
// never reused and never change.
type EventKind uint16

const (
	// Allocated: Relayed, Mapped, Lifetime; Additional where both families were
	// asked for and given.
	Allocated EventKind = 1
	// AllocateFailed: Code (0 for a time-out or an unusable answer), Reason,
	// Signed, RetryAfter; Until when the server may hold an allocation all
	// the same.
	AllocateFailed EventKind = 2
	// PermissionCreated: Peer (its port is 0). Told once, not at each refresh.
	PermissionCreated EventKind = 3
	// PermissionFailed: Peer (its port is 0), Method, Code, Reason, Signed.
	PermissionFailed EventKind = 4
	// ChannelBound: Peer, Channel. Told once, not at each refresh.
	ChannelBound EventKind = 5
	// ChannelFailed: Peer, Channel, Method, Code, Reason, Signed.
	ChannelFailed EventKind = 6
	// Refreshed: Lifetime.
	Refreshed EventKind = 7
	// DataReceived: Peer, Channel (0 when it came in a Data indication), Data.
	// Data is a part of the slice given to HandleInput. Flow of a data connection.
	DataReceived EventKind = 8
	// PeerICMP: Peer (port 0 = any), ICMP.
	PeerICMP EventKind = 9
	// NeedNewPort: the server holds another allocation on this 5-tuple (437)
	// and the machine waits: open Flow from another local port, close the
	// present one, then call FlowOpened; or FlowClosed, to give up.
	// Code, Reason, Signed; Until when something of ours may be left behind.
	NeedNewPort EventKind = 10
	// FlowNeeded: open Flow to Peer, then call FlowOpened; or FlowClosed, when it
	// cannot be opened. Method says what for: Refresh to move the allocation
	// there (Rebind), Allocate to make one: Until when something of ours may be
	// left on the flow before. ConnectionBind: for the data connection
	// ConnectionID, beside the control connection's, before Until.
	FlowNeeded EventKind = 11
	// Redirected: the server sends us to another one (300): Peer, Domain (for
	// the certificate of TLS), Signed. AllocateFailed follows; whoever wants to
	// go there makes a client for that server.
	Redirected EventKind = 12
	// CredentialsExpired: the server does not take the credentials any more;
	// the allocation lives until Until. Code, Reason, Signed. See SetCredentials.
	CredentialsExpired EventKind = 13
	// TokenNeeded: ServerName. The server takes access tokens (RFC 7635) for that
	// name, and none is set. See SetToken.
	TokenNeeded EventKind = 14
	// AllocationLost: the allocation is gone, and all that was under it. Method,
	// Code, Reason, Signed; Until when the server may still hold it.
	AllocationLost EventKind = 15
	// CommandDropped: a command that waited for the allocation will not be
	// carried out. Method, Peer, Reason.
	CommandDropped EventKind = 16
	// PartingChanged: what Parting returns has changed: fetch it anew.
	PartingChanged EventKind = 17
	// Closed: the last event. Outcome, Reason, ReuseAfter, Until.
	Closed EventKind = 18
	// Reclaimed: an allocation that an earlier run left on this 5-tuple was
	// released; the Allocate follows after ReuseAfter.
	Reclaimed EventKind = 19
	// RefreshFailed: Method, Code, Reason, Signed. The allocation lives on, and
	// the Refresh is tried again.
	RefreshFailed EventKind = 20
	// MobilityRefused: the server forbids mobility (405): Method, Code, Reason,
	// Signed. The Allocate goes on without it.
	MobilityRefused EventKind = 21
	// Rebound: the allocation has moved to Flow: Relayed as before, Mapped if
	// the server says it. Refreshed follows.
	Rebound EventKind = 22
	// RebindFailed: it could not be moved: Method, Code, Reason, Signed. Unless
	// no flow could be opened AllocationLost follows, and a new allocation.
	RebindFailed EventKind = 23
	// PortReserved: the port above the relayed address's is kept for whoever
	// allocates with ReservationToken, until Until.
	PortReserved EventKind = 24
	// OptionRefused: the server does not grant EvenPort, ReservationToken (508) or
	// DontFragment (420): Method, Code, Reason, Signed. The Allocate goes on
	// without it.
	OptionRefused EventKind = 25
	// AddressRefused: of the two families that were asked for the server gives
	// one only. Family is the other; Code (440, 508; 0 = it said nothing),
	// Reason, RetryAfter. Allocated follows.
	AddressRefused EventKind = 26
	// StreamBroken: what came on Flow, a stream, is no protocol of ours: Reason.
	// The machine has done with the flow: close it. What that ends is told by
	// the events that follow.
	StreamBroken EventKind = 27
	// ConnectionAttempted: a peer has connected to the relayed address: Peer,
	// ConnectionID, which AcceptConnection takes before Until.
	ConnectionAttempted EventKind = 28
	// ConnectionReady: Flow carries a connection with Peer: ConnectionID. What it
	// brings from here on is payload, and what is written to it, too. Call
	// FlowClosed when it ends. What is handed to HandleStream all the same
	// comes back as DataReceived with its Flow.
	ConnectionReady EventKind = 29
	// ConnectionFailed: there is none with Peer: ConnectionID if it had one, Method
	// (Connect, ConnectionBind), Code, Reason, Signed; Flow if there is one: close
	// it. RetryAfter when a Connect to the peer will wait so long.
	ConnectionFailed EventKind = 30
	// ConnectionLost: one that was ready ends with the allocation: Peer,
	// ConnectionID, Flow: close it. Reason.
	ConnectionLost EventKind = 31
)

var eventNames = map[EventKind]string{
	Allocated: "Allocated", AllocateFailed: "AllocateFailed",
	PermissionCreated: "PermissionCreated", PermissionFailed: "PermissionFailed",
	ChannelBound: "ChannelBound", ChannelFailed: "ChannelFailed",
	Refreshed: "Refreshed", DataReceived: "DataReceived", PeerICMP: "PeerICMP",
	NeedNewPort: "NeedNewPort", FlowNeeded: "FlowNeeded", Redirected: "Redirected",
	CredentialsExpired: "CredentialsExpired", TokenNeeded: "TokenNeeded",
	AllocationLost: "AllocationLost", CommandDropped: "CommandDropped",
	PartingChanged: "PartingChanged", Closed: "Closed", Reclaimed: "Reclaimed",
	RefreshFailed: "RefreshFailed", StreamBroken: "StreamBroken", MobilityRefused: "MobilityRefused",
	Rebound: "Rebound", RebindFailed: "RebindFailed",
	PortReserved:  "PortReserved",
	OptionRefused: "OptionRefused", AddressRefused: "AddressRefused",
	ConnectionAttempted: "ConnectionAttempted", ConnectionReady: "ConnectionReady",
	ConnectionFailed: "ConnectionFailed", ConnectionLost: "ConnectionLost",
}

func (k EventKind) String() string {
	if s, ok := eventNames[k]; ok {
		return s
	}
	return "unknown"
}

// Event is an effect for the user. Which fields are set stands at its kind;
// the others are zero.
type Event struct {
	Kind    EventKind
	Signed  bool // the response that caused a failure carried a valid MESSAGE-INTEGRITY
	Outcome Outcome
	Channel uint16
	Method  stun.Method // the request that failed
	Code    int         // STUN error code; 0 = none (a time-out, a local cause)
	Flow    Flow
	Peer    netip.AddrPort
	Relayed netip.AddrPort
	Mapped  netip.AddrPort

	Additional netip.AddrPort // relayed, of the other family than Relayed
	Family     Family
	Domain     string // ALTERNATE-DOMAIN, as printable as Reason

	ConnectionID     ConnectionID // of RelayTCP
	ICMP             ICMP
	ReservationToken ReservationToken
	// Reason is the server's reason phrase (printable, at most 128 bytes) or a
	// sentence of the machine's own that says what was tried.
	Reason     string
	ServerName string        // printable, at most 128 bytes
	Lifetime   time.Duration // granted by the server
	RetryAfter time.Duration // leave the server alone for so long
	ReuseAfter time.Duration // the local port is free again after so long
	Until      time.Duration // an instant: the server may hold an allocation of ours until then; 0 = none
	Data       []byte
}

// event makes the event that tells of a failure.
func (v verdict) event(kind EventKind) Event {
	return Event{Kind: kind, Code: v.code, Reason: v.reason, Signed: v.signed}
}

// ICMP is what RFC 8656 section 18.13 carries.
type ICMP struct {
	Type, Code uint8
	Data       [4]byte
}

// Outcome says what a Close came to.
type Outcome uint8

const (
	// Released: the server has said that the allocation is gone.
	Released Outcome = 1
	// NothingToRelease: no allocation of ours can exist.
	NothingToRelease Outcome = 2
	// Unconfirmed: a release was sent and no valid verdict came.
	Unconfirmed Outcome = 3
	// Abandoned: no release was sent although an allocation may live.
	Abandoned Outcome = 4
	// HandedOver: another client, made of a snapshot, has the allocation now. It
	// is hosts that say so.
	HandedOver Outcome = 5
)

var outcomeNames = [...]string{"", "released", "nothing_to_release", "unconfirmed", "abandoned", "handed_over"}

func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown"
}
