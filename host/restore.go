package host

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Restore goes on with the allocation of a snapshot, from the same local port:
// the relayed address, permissions and channels are what they were. What became
// due since is done at once; that is counted by the wall clock. Its error is
// ErrSnapshot for bytes that are none and for another key, and the system's
// where the local port cannot be had: while the process before still has it.
//
// Of cfg, what is the host's own counts: Linger, queues and buffers, Trace,
// Reallocate. The URL is the snapshot's if it is empty.
func (rt *Runtime) Restore(ctx context.Context, snapshot, key []byte, cfg Config) (*Conn, error) {
	from, err := unseal(snapshot, key)
	if err != nil {
		return nil, dialError(netip.AddrPort{}, err)
	}
	defer clear(from.Machine)
	s, err := from.settings(cfg)
	if err != nil {
		return nil, dialError(from.Server, err)
	}
	t, err := openTransport(ctx, 0, from.Local, from.Server, &s)
	if err != nil {
		return nil, dialError(from.Server, err)
	}
	c, err := rt.addOf(ctx, s, t, from)
	if err != nil {
		t.close()
		return nil, dialError(from.Server, err)
	}
	return c, nil
}

// settings are those of a Dial, but for what the machine has already.
func (from *saved) settings(cfg Config) (settings, error) {
	if cfg.URL == "" {
		cfg.URL = "turn:" + from.Server.String()
	}
	cfg.LocalAddr = from.Asked
	cfg.Username, cfg.Password, cfg.AccessToken = "", "", nil
	s, err := cfg.check()
	if err == nil && s.via != overUDP {
		return s, fmt.Errorf("%w: %s is not over UDP", ErrSnapshot, strings.TrimSpace(cfg.URL))
	}
	return s, err
}

// enter makes the machine's client: a new one, or that of a snapshot.
func (c *Conn) enter(d *driver, server netip.AddrPort, from *saved, room *slot) (handle int, err error) {
	if from == nil {
		cfg := c.settings.clientConfig(server)
		if cfg.Transport == client.TransportDatagram {
			cfg.RoundTrip = c.rt.trips.of(time.Now(), server.Addr())
		}
		defer clear(cfg.Password)
		n, err := d.control(func(b []byte) []byte { return abi.AppendConfig(b, &cfg, nil) })
		if err != nil {
			return 0, err
		}
		return d.answer(d.eng.open(d.clock.now(), n))
	}
	if len(from.Machine) > len(room.data) {
		return 0, client.ErrTooLarge
	}
	n := copy(room.data, from.Machine)
	elapsed := max(0, time.Now().Round(0).Sub(from.Taken))
	return d.answer(d.eng.restore(d.clock.now(), abi.MS(elapsed), int32(room.at), int32(n)))
}

// revive takes over what the machine and the snapshot know. It is called before
// anything is drained.
func (c *Conn) revive(from *saved, t *transport) error {
	state, err := c.state()
	if err != nil {
		return err
	}
	t.flow = state.Flow
	c.started = true
	c.present.Store(&present{state.Relayed, state.Mapped, state.Lifetime, state.Additional})
	for _, addr := range from.Permitted {
		c.peers.permitted[addr] = true
	}
	for peer, channel := range from.Channels {
		c.peers.channels[peer] = channel
	}
	return nil
}
