package instance_test

import (
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/abitest"
)

// simulated is a client behind the boundary, as the simulation drives it: every
// payload goes through turn_send and turn_input.
type simulated struct {
	host      func() *abitest.Host // a function, so that the arena is not the client's footprint
	h         int32
	server    netip.AddrPort
	transmits []client.Transmit
	events    []client.Event
	freed     bool
	lanes     *int // payloads by ChannelData, both ways
	framing   turntest.Deframer
}

func newSimulated(t *testing.T, cfg client.Config, lanes *int) *simulated {
	in, region := newInstance(abi.NewLayout(4096, 128<<10, 4, 64, 128<<10), cfg.Rand)
	w := abitest.NewHost(t, in, region)
	return &simulated{host: func() *abitest.Host { return w }, h: w.MustOpen(cfg, nil), server: cfg.Server, lanes: lanes}
}

// at sets the host's clock.
func (s *simulated) at(now time.Duration) *abitest.Host {
	w := s.host()
	w.Now = now
	return w
}

// take keeps what came out, for the polls.
func (s *simulated) take(outs []abitest.Out) {
	for _, o := range outs {
		for _, data := range o.Packets {
			if o.Channel != 0 || o.Kind == abi.KindTransmit && data[0]>>4 == 4 {
				*s.lanes++
			}
			switch o.Kind {
			case abi.KindTransmit:
				s.transmits = append(s.transmits, client.Transmit{Flow: client.Flow(o.Flow), To: o.Addr, Data: data})
			case abi.KindEvent:
				s.events = append(s.events, o.Event)
			case abi.KindParting:
				s.events = append(s.events, client.Event{Kind: client.PartingChanged})
			case abi.KindData:
				s.events = append(s.events, client.Event{Kind: client.DataReceived, Peer: o.Addr, Channel: uint16(o.Channel), Data: data})
			}
		}
	}
}

func (s *simulated) do(now time.Duration, c abi.Command) error {
	code, outs := s.at(now).Do(s.h, c)
	s.take(outs)
	return code.Err()
}

// batch runs one in-descriptor.
func (s *simulated) batch(now time.Duration, call func(float64, int32) int32, d abi.Desc, data []byte) error {
	w := s.host()
	w.Now = now
	d.Client, d.Length, d.Count = s.h, uint32(len(data)), 1
	d.Offset = w.Layout.Arena.Offset + abi.Headroom
	copy(w.Region[d.Offset:], data)
	d.Store(w.Layout.In.At(w.Region, 0))
	s.take(w.Drain(w.Read(call(abi.MS(now), 1))))
	return w.Layout.In.At(w.Region, 0).Status().Err()
}

func (s *simulated) HandleInput(now time.Duration, flow client.Flow, from netip.AddrPort, data []byte) {
	d := abi.Desc{Kind: abi.KindInput, Flow: uint32(flow), Addr: from}
	if from == s.server {
		d.Addr = netip.AddrPort{} // as a connected socket has it
	}
	_ = s.batch(now, s.host().Input, d, data)
}

// HandleStream hands in one message, or a part of it: behind the boundary all
// that came goes in at once, and the simulation looks after each message.
func (s *simulated) HandleStream(now time.Duration, flow client.Flow, data []byte) (took int) {
	if s.Phase() == client.PhaseClosed {
		return len(data)
	}
	n, _, err := s.framing.Take(data)
	if err != nil {
		s.framing = turntest.Deframer{}
	}
	_ = s.batch(now, s.host().Input, abi.Desc{Kind: abi.KindInput, Flow: uint32(flow)}, data[:n])
	return n
}

func (s *simulated) Send(now time.Duration, peer netip.AddrPort, payload []byte) error {
	return s.batch(now, s.host().Send, abi.Desc{Kind: abi.KindSend, Addr: peer}, payload)
}

func (s *simulated) SendRun(now time.Duration, peer netip.AddrPort, payloads []byte, size int) error {
	w := s.host()
	w.Now = now
	d := abi.Desc{
		Client: s.h, Kind: abi.KindSend, Addr: peer, Offset: w.Layout.Arena.Offset + abi.Headroom,
		Length: uint32(size), Count: uint32(len(payloads) / size), Stride: uint32(size) + 4,
	}
	at := d.Offset
	for payload := range slices.Chunk(payloads, size) {
		copy(w.Region[at:], payload)
		at += d.Stride
	}
	d.Store(w.Layout.In.At(w.Region, 0))
	s.take(w.Submit(w.Send, 1))
	left := w.Layout.In.At(w.Region, 0)
	if left.Count() < d.Count {
		return nil
	}
	return left.Status().Err()
}

func (s *simulated) SendInPlace(now time.Duration, peer netip.AddrPort, buf []byte, off, end int) error {
	return s.Send(now, peer, buf[off:end])
}

func (s *simulated) state() (st abi.State) {
	if s.freed {
		return abi.State{Phase: client.PhaseClosed}
	}
	w := s.host()
	st, _ = abi.ParseState(w.Layout.ControlOut.Of(w.Region)[:w.State(s.h)])
	return st
}

func (s *simulated) Phase() client.Phase   { return s.state().Phase }
func (s *simulated) RTO() time.Duration    { return s.state().RTO }
func (s *simulated) TimeoutReason() string { return s.state().WakeWhy }

func (s *simulated) PollTimeout() (time.Duration, bool) {
	st := s.state()
	return st.WakeAt, st.Wakes
}

func (s *simulated) Stats() client.Stats {
	w := s.host()
	return abi.ParseStats(w.Layout.ControlOut.Of(w.Region)[:max(0, w.Stats(s.h))])
}

func (s *simulated) Parting(now time.Duration, buf []byte) (client.Transmit, time.Duration, bool) {
	w := s.host()
	outs := w.Read(max(0, w.Exports.Parting(abi.MS(now), s.h)))
	if len(outs) == 0 {
		return client.Transmit{}, 0, false
	}
	until, _ := abi.Duration(math.Float64frombits(outs[0].Tag))
	t := client.Transmit{Flow: client.Flow(outs[0].Flow), To: outs[0].Addr, Data: append(buf, outs[0].Packets[0]...)}
	return t, until, true
}

func (s *simulated) Snapshot(now time.Duration, buf []byte) ([]byte, error) {
	w := s.at(now)
	at := w.Layout.Arena.Offset
	n := w.Exports.Snapshot(abi.MS(now), s.h, int32(at), int32(w.Layout.Arena.Size))
	if n < 0 {
		return buf, abi.Code(n).Err()
	}
	return append(buf, w.Region[at:at+uint32(n)]...), nil
}

// restoreSimulated makes the client in an instance of its own.
func restoreSimulated(t *testing.T, cfg client.Config, lanes *int, now, elapsed time.Duration, snapshot []byte) (*simulated, error) {
	in, region := newInstance(abi.NewLayout(4096, 128<<10, 4, 64, 128<<10), cfg.Rand)
	w := abitest.NewHost(t, in, region)
	s := &simulated{host: func() *abitest.Host { return w }, server: cfg.Server, lanes: lanes}
	w.Now = now
	at := w.Layout.Arena.Offset
	n := copy(w.Layout.Arena.Of(w.Region), snapshot)
	if s.h = w.Restore(abi.MS(now), abi.MS(elapsed), int32(at), int32(n)); s.h < 0 {
		return nil, abi.Code(s.h).Err()
	}
	for _, b := range region[at : int(at)+n] {
		if b != 0 {
			t.Fatal("turn_restore leaves the snapshot behind")
		}
	}
	s.take(w.Drain(nil))
	return s, nil
}

func (s *simulated) HandleTimeout(now time.Duration) { s.take(s.at(now).Wake()) }

func (s *simulated) flow(now time.Duration, flow client.Flow, what int32) {
	w := s.at(now)
	w.Flow(abi.MS(now), s.h, int32(flow), what)
	s.take(w.Drain(nil))
}

func (s *simulated) FlowOpened(now time.Duration, flow client.Flow) {
	s.framing = turntest.Deframer{}
	s.flow(now, flow, abi.FlowOpened)
}
func (s *simulated) FlowClosed(now time.Duration, flow client.Flow) {
	s.flow(now, flow, abi.FlowClosed)
}
func (s *simulated) PathError(now time.Duration, flow client.Flow) { s.flow(now, flow, abi.PathError) }

func (s *simulated) Allocate(now time.Duration) error {
	return s.do(now, abi.Command{Cmd: abi.CmdAllocate})
}
func (s *simulated) Refresh(now time.Duration) error {
	return s.do(now, abi.Command{Cmd: abi.CmdRefresh})
}
func (s *simulated) Rebind(now time.Duration) error {
	return s.do(now, abi.Command{Cmd: abi.CmdRebind})
}

func (s *simulated) CreatePermission(now time.Duration, peers ...netip.Addr) error {
	c := abi.Command{Cmd: abi.CmdCreatePermission}
	for _, peer := range peers {
		c.Peers = append(c.Peers, netip.AddrPortFrom(peer, 0))
	}
	return s.do(now, c)
}

func (s *simulated) peer(now time.Duration, cmd abi.Cmd, peer netip.AddrPort) error {
	return s.do(now, abi.Command{Cmd: cmd, Peers: []netip.AddrPort{peer}})
}

func (s *simulated) RemovePermission(now time.Duration, peer netip.Addr) error {
	return s.peer(now, abi.CmdRemovePermission, netip.AddrPortFrom(peer, 0))
}

func (s *simulated) BindChannel(now time.Duration, peer netip.AddrPort) error {
	return s.peer(now, abi.CmdBindChannel, peer)
}

func (s *simulated) UnbindChannel(now time.Duration, peer netip.AddrPort) error {
	return s.peer(now, abi.CmdUnbindChannel, peer)
}

func (s *simulated) SetCredentials(now time.Duration, username, password []byte) error {
	return s.do(now, abi.Command{Cmd: abi.CmdSetCredentials, Username: username, Password: password})
}

func (s *simulated) Close(now, linger time.Duration) {
	w := s.at(now)
	w.Close(abi.MS(now), s.h, abi.MS(linger))
	s.take(w.Drain(nil))
}

func (s *simulated) Free() {
	s.host().Free(s.h)
	s.freed = true
}

func (s *simulated) PollTransmit() (t client.Transmit, ok bool) {
	if len(s.transmits) > 0 {
		t, s.transmits, ok = s.transmits[0], s.transmits[1:], true
	}
	return t, ok
}

func (s *simulated) PollEvent() (e client.Event, ok bool) {
	if len(s.events) > 0 {
		e, s.events, ok = s.events[0], s.events[1:], true
	}
	return e, ok
}

// Every rule of the simulation holds over the boundary with its data path, and
// nobody can tell the two apart: the same seed, the same transcript.
func TestSimulationOverTheBoundary(t *testing.T) {
	lanes := 0
	for seed := uint64(1); seed <= 120; seed++ {
		plain := turntest.Run(seed, turntest.Options{})
		behind := turntest.Run(seed, turntest.Options{New: func(cfg client.Config) (turntest.Machine, error) {
			return newSimulated(t, cfg, &lanes), nil
		}, Restore: func(cfg client.Config, now, elapsed time.Duration, snapshot []byte) (turntest.Machine, error) {
			return restoreSimulated(t, cfg, &lanes, now, elapsed, snapshot)
		}})
		for _, v := range behind.Violations {
			t.Errorf("seed %d: %v", seed, v)
		}
		if behind.Hash != plain.Hash {
			t.Errorf("seed %d: another transcript than without the boundary", seed)
		}
	}
	if lanes < 300 {
		t.Errorf("only %d payloads went by ChannelData", lanes)
	}
}
