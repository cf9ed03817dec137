package turntest

import (
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// Machine is a client as the simulation drives it: *client.Client has these
// methods, and so can anything that stands in front of one.
type Machine interface {
	Phase() client.Phase
	Stats() client.Stats
	RTO() time.Duration
	Snapshot(now time.Duration, buf []byte) ([]byte, error)
	Parting(now time.Duration, buf []byte) (t client.Transmit, until time.Duration, ok bool)

	HandleInput(now time.Duration, flow client.Flow, from netip.AddrPort, data []byte)
	HandleStream(now time.Duration, flow client.Flow, data []byte) (took int)
	HandleTimeout(now time.Duration)
	FlowOpened(now time.Duration, flow client.Flow)
	FlowClosed(now time.Duration, flow client.Flow)
	PathError(now time.Duration, flow client.Flow)

	Allocate(now time.Duration) error
	Refresh(now time.Duration) error
	Rebind(now time.Duration) error
	CreatePermission(now time.Duration, peers ...netip.Addr) error
	RemovePermission(now time.Duration, peer netip.Addr) error
	BindChannel(now time.Duration, peer netip.AddrPort) error
	UnbindChannel(now time.Duration, peer netip.AddrPort) error
	Send(now time.Duration, peer netip.AddrPort, payload []byte) error
	SendInPlace(now time.Duration, peer netip.AddrPort, buf []byte, off, end int) error
	SetCredentials(now time.Duration, username, password []byte) error
	Close(now, linger time.Duration)
	Free()

	PollTransmit() (client.Transmit, bool)
	PollEvent() (client.Event, bool)
	PollTimeout() (at time.Duration, ok bool)
	TimeoutReason() string
}

var _ Machine = (*client.Client)(nil)
