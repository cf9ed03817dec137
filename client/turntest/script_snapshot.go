package turntest

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// SnapshotDriver is a NativeDriver whose clients do not live long: before each
// call every one that has a snapshot is freed, and restored where the time
// begins elsewhere. Nobody can tell the difference.
type SnapshotDriver struct {
	NativeDriver
	rands []*rand.ChaCha8
	bases []time.Duration // what a client's time is ahead of the script's
	// Restored counts, Fault is why a snapshot that was taken was refused.
	Restored int
	Fault    error
}

// Open is Driver's.
func (d *SnapshotDriver) Open(now time.Duration, cfg client.Config, seed [abi.SeedSize]byte) error {
	d.swap(now)
	source := rand.NewChaCha8(seed)
	cfg.Rand = source
	c, err := client.New(cfg)
	if err == nil {
		d.clients, d.rands, d.bases = append(d.clients, c), append(d.rands, source), append(d.bases, 0)
	}
	return err
}

// swap frees and restores.
func (d *SnapshotDriver) swap(now time.Duration) {
	for n, c := range d.clients {
		snapshot, err := c.Snapshot(now+d.bases[n], nil)
		if err != nil {
			continue
		}
		c.Free()
		d.Restored++
		d.bases[n] = time.Duration(d.Restored%3)*time.Hour - now + 1
		again, err := client.Restore(now+d.bases[n], 0, snapshot, d.rands[n])
		if err != nil {
			d.Fault = err
			continue
		}
		d.clients[n] = again
	}
}

func (d *SnapshotDriver) at(now time.Duration, n int) time.Duration {
	d.swap(now)
	return now + d.bases[n]
}

// Command is Driver's.
func (d *SnapshotDriver) Command(now time.Duration, n int, cmd abi.Command) error {
	return d.NativeDriver.Command(d.at(now, n), n, cmd)
}

// Send is Driver's.
func (d *SnapshotDriver) Send(now time.Duration, n int, peer netip.AddrPort, payload []byte) error {
	return d.NativeDriver.Send(d.at(now, n), n, peer, payload)
}

// Input is Driver's.
func (d *SnapshotDriver) Input(now time.Duration, n int, flow client.Flow, from netip.AddrPort, datagram []byte) {
	d.NativeDriver.Input(d.at(now, n), n, flow, from, datagram)
}

// Flow is Driver's.
func (d *SnapshotDriver) Flow(now time.Duration, n int, flow client.Flow, what int32) {
	d.NativeDriver.Flow(d.at(now, n), n, flow, what)
}

// Close is Driver's.
func (d *SnapshotDriver) Close(now time.Duration, n int, linger time.Duration) {
	d.NativeDriver.Close(d.at(now, n), n, linger)
}

// Tick is Driver's.
func (d *SnapshotDriver) Tick(now time.Duration) {
	d.swap(now)
	for n, c := range d.clients {
		if at, ok := c.PollTimeout(); ok && at <= now+d.bases[n] {
			c.HandleTimeout(now + d.bases[n])
		}
	}
}

// Effects is Driver's.
func (d *SnapshotDriver) Effects(now time.Duration) []Effect {
	out := d.NativeDriver.Effects(now)
	for i := range out {
		e := &out[i]
		if e.Event != nil && e.Event.Until != 0 {
			e.Event.Until -= d.bases[e.Client]
		}
		if e.Event != nil && e.Event.Kind == client.PartingChanged {
			e.Parting, e.PartingUntil = d.Parting(now, e.Client)
		}
	}
	return out
}

// State is Driver's.
func (d *SnapshotDriver) State(n int) abi.State {
	s := d.NativeDriver.State(n)
	if s.Wakes {
		s.WakeAt -= d.bases[n]
	}
	return s
}

// Parting is Driver's.
func (d *SnapshotDriver) Parting(now time.Duration, n int) ([]byte, time.Duration) {
	data, until := d.NativeDriver.Parting(now+d.bases[n], n)
	if data == nil {
		return nil, 0
	}
	return data, until - d.bases[n]
}
