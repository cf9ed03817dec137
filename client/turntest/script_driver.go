package turntest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Driver is an owner of clients, as a script drives it: the native machine, or
// an instance behind the boundary. Clients are numbered from 0 in the order of
// their Open.
type Driver interface {
	// Open makes a client whose entropy is ChaCha8 of the seed.
	Open(now time.Duration, cfg client.Config, seed [abi.SeedSize]byte) error
	Command(now time.Duration, n int, c abi.Command) error
	Send(now time.Duration, n int, peer netip.AddrPort, payload []byte) error
	Input(now time.Duration, n int, flow client.Flow, from netip.AddrPort, datagram []byte)
	// Flow reports abi.FlowOpened, FlowClosed or PathError.
	Flow(now time.Duration, n int, flow client.Flow, what int32)
	Close(now time.Duration, n int, linger time.Duration)
	Free(n int)
	// Tick serves the clients whose deadline has come.
	Tick(now time.Duration)
	// Effects drains every client: for each, what it sends before what it tells.
	Effects(now time.Duration) []Effect

	State(n int) abi.State
	Stats(n int) client.Stats
	Parting(now time.Duration, n int) (datagram []byte, until time.Duration)
}

// Effect is a datagram or an event of a client.
type Effect struct {
	Client   int
	Transmit *client.Transmit
	Event    *client.Event
	// Parting goes with PartingChanged: the datagram, nil for none any more, and
	// the instant to which the server may hold the allocation.
	Parting      []byte
	PartingUntil time.Duration
}

// NativeDriver drives the machine itself.
type NativeDriver struct {
	clients []*client.Client
	early   []Effect // of a stream's frames
}

// Open is Driver's.
func (d *NativeDriver) Open(_ time.Duration, cfg client.Config, seed [abi.SeedSize]byte) error {
	cfg.Rand = rand.NewChaCha8(seed)
	c, err := client.New(cfg)
	if err == nil {
		d.clients = append(d.clients, c)
	}
	return err
}

// Command is Driver's.
func (d *NativeDriver) Command(now time.Duration, n int, cmd abi.Command) error {
	c := d.clients[n]
	switch cmd.Cmd {
	case abi.CmdAllocate:
		return c.Allocate(now)
	case abi.CmdRefresh:
		return c.Refresh(now)
	case abi.CmdRebind:
		return c.Rebind(now)
	case abi.CmdCreatePermission:
		addrs := make([]netip.Addr, len(cmd.Peers))
		for i, p := range cmd.Peers {
			addrs[i] = p.Addr()
		}
		return c.CreatePermission(now, addrs...)
	case abi.CmdRemovePermission:
		return c.RemovePermission(now, cmd.Peers[0].Addr())
	case abi.CmdBindChannel:
		return c.BindChannel(now, cmd.Peers[0])
	case abi.CmdUnbindChannel:
		return c.UnbindChannel(now, cmd.Peers[0])
	case abi.CmdConnect:
		return c.Connect(now, cmd.Peers[0])
	case abi.CmdAcceptConnection:
		return c.AcceptConnection(now, cmd.Connection)
	case abi.CmdSetToken:
		return c.SetToken(now, cmd.Username, cmd.Password, cmd.AccessToken)
	case abi.CmdSetCredentials:
		return c.SetCredentials(now, cmd.Username, cmd.Password)
	}
	return fmt.Errorf("turntest: no command %d", cmd.Cmd)
}

// Send is Driver's.
func (d *NativeDriver) Send(now time.Duration, n int, peer netip.AddrPort, payload []byte) error {
	return d.clients[n].Send(now, peer, payload)
}

// Input is Driver's.
func (d *NativeDriver) Input(now time.Duration, n int, flow client.Flow, from netip.AddrPort, datagram []byte) {
	if !d.clients[n].Stream() {
		d.clients[n].HandleInput(now, flow, from, datagram)
		return
	}
	for len(datagram) > 0 {
		datagram = datagram[d.clients[n].HandleStream(now, flow, datagram):]
		d.early = append(d.early, d.polled(now)...)
	}
}

// Flow is Driver's.
func (d *NativeDriver) Flow(now time.Duration, n int, flow client.Flow, what int32) {
	switch what {
	case abi.FlowOpened:
		d.clients[n].FlowOpened(now, flow)
	case abi.FlowClosed:
		d.clients[n].FlowClosed(now, flow)
	case abi.PathError:
		d.clients[n].PathError(now, flow)
	}
}

// Close is Driver's.
func (d *NativeDriver) Close(now time.Duration, n int, linger time.Duration) {
	d.clients[n].Close(now, linger)
}

// Free is Driver's.
func (d *NativeDriver) Free(n int) { d.clients[n].Free() }

// Tick is Driver's.
func (d *NativeDriver) Tick(now time.Duration) {
	for _, c := range d.clients {
		if at, ok := c.PollTimeout(); ok && at <= now {
			c.HandleTimeout(now)
		}
	}
}

// Effects is Driver's.
func (d *NativeDriver) Effects(now time.Duration) []Effect {
	out := append(d.early, d.polled(now)...)
	d.early = nil
	return out
}

func (d *NativeDriver) polled(now time.Duration) (out []Effect) {
	for n, c := range d.clients {
		for t, ok := c.PollTransmit(); ok && len(out) < mostEffects; t, ok = c.PollTransmit() {
			out = append(out, Effect{Client: n, Transmit: &t})
		}
		for e, ok := c.PollEvent(); ok && len(out) < mostEffects; e, ok = c.PollEvent() {
			effect := Effect{Client: n, Event: &e}
			if e.Kind == client.PartingChanged {
				effect.Parting, effect.PartingUntil = d.Parting(now, n)
			}
			out = append(out, effect)
		}
	}
	return out
}

// mostEffects of one drain: beyond it the drain does not end.
const mostEffects = 10_000

// State is Driver's.
func (d *NativeDriver) State(n int) abi.State {
	c := d.clients[n]
	s := abi.State{Phase: c.Phase(), Relayed: c.Relayed(), Additional: c.Additional(), Mapped: c.Mapped(), Lifetime: c.Lifetime(), Flow: c.Flow(), RTO: c.RTO(), RoundTrip: c.RoundTrip()}
	if s.WakeAt, s.Wakes = c.PollTimeout(); s.Wakes {
		s.WakeWhy = c.TimeoutReason()
	}
	return s
}

// Stats is Driver's.
func (d *NativeDriver) Stats(n int) client.Stats { return d.clients[n].Stats() }

// Parting is Driver's.
func (d *NativeDriver) Parting(now time.Duration, n int) ([]byte, time.Duration) {
	t, until, ok := d.clients[n].Parting(now, nil)
	if !ok {
		return nil, 0
	}
	return t.Data, until
}
