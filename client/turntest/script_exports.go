package turntest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Exports are the boundary's, as the package comment of wasm/abi describes
// them: the native instance has these methods, and a module's are wrapped into
// them.
type Exports interface {
	Open(now float64, n int32) int32
	Command(now float64, h, n int32) int32
	Flow(now float64, h, flow, what int32) int32
	Input(now float64, n int32) int32
	Send(now float64, n int32) int32
	Poll() int32
	Tick(now float64) float64
	Close(now float64, h int32, linger float64) int32
	State(h int32) int32
	Stats(h int32) int32
	Parting(now float64, h int32) int32
	Free(h int32) int32
}

// ExportsDriver drives clients through the boundary. What the boundary must
// never do makes it panic.
type ExportsDriver struct {
	exports Exports
	region  []byte
	layout  abi.Layout
	handles []int32
	effects []Effect
}

// NewExportsDriver drives the clients of one instance.
func NewExportsDriver(e Exports, region []byte) (*ExportsDriver, error) {
	layout, err := abi.LoadLayout(region)
	return &ExportsDriver{exports: e, region: region, layout: layout}, err
}

// must panics at an answer that says that we called wrongly.
func (d *ExportsDriver) must(code int32) int32 {
	if code < 0 {
		panic(fmt.Sprintf("turntest: the boundary answers %d: %s", code, d.errorText()))
	}
	return code
}

func (d *ExportsDriver) errorText() string {
	n := abi.Header(d.region).ErrorLen()
	return string(d.layout.ControlOut.Of(d.region)[:n])
}

func (d *ExportsDriver) record(rec []byte) int32 {
	return int32(copy(d.layout.ControlIn.Of(d.region), rec))
}

// answer turns a call's code into an error with the text that it left, and
// drains.
func (d *ExportsDriver) answer(code int32) error {
	var err error
	if code < 0 {
		err = errors.New(d.errorText())
	}
	d.poll()
	return err
}

func (d *ExportsDriver) poll() {
	for abi.Header(d.region).Pending() && len(d.effects) < mostEffects {
		d.collect(d.must(d.exports.Poll()))
	}
}

// Open is Driver's.
func (d *ExportsDriver) Open(now time.Duration, cfg client.Config, seed [abi.SeedSize]byte) error {
	h := d.exports.Open(abi.MS(now), d.record(abi.AppendConfig(nil, &cfg, seed[:])))
	if h >= 0 {
		d.handles = append(d.handles, h)
	}
	return d.answer(h)
}

// Command is Driver's.
func (d *ExportsDriver) Command(now time.Duration, n int, c abi.Command) error {
	return d.answer(d.exports.Command(abi.MS(now), d.handles[n], d.record(abi.AppendCommand(nil, &c))))
}

// Send is Driver's.
func (d *ExportsDriver) Send(now time.Duration, n int, peer netip.AddrPort, payload []byte) error {
	desc := abi.Desc{
		Client: d.handles[n], Kind: abi.KindSend, Addr: peer, Count: 1,
		Offset: d.layout.Arena.Offset + abi.Headroom, Length: uint32(len(payload)),
	}
	return d.batch(now, desc, payload, d.exports.Send)
}

// Input is Driver's.
func (d *ExportsDriver) Input(now time.Duration, n int, flow client.Flow, from netip.AddrPort, datagram []byte) {
	desc := abi.Desc{
		Client: d.handles[n], Kind: abi.KindInput, Addr: from, Flow: uint32(flow), Count: 1,
		Offset: d.layout.Arena.Offset, Length: uint32(len(datagram)),
	}
	if err := d.batch(now, desc, datagram, d.exports.Input); err != nil {
		panic(fmt.Sprintf("turntest: turn_input refuses a datagram: %v", err))
	}
}

// batch is a batch of one.
func (d *ExportsDriver) batch(now time.Duration, desc abi.Desc, data []byte, call func(float64, int32) int32) error {
	v := d.layout.In.At(d.region, 0)
	desc.Store(v)
	copy(d.region[desc.Offset:], data)
	d.collect(d.must(call(abi.MS(now), 1)))
	err := v.Status().Err()
	d.poll()
	return err
}

// Flow is Driver's.
func (d *ExportsDriver) Flow(now time.Duration, n int, flow client.Flow, what int32) {
	d.must(d.exports.Flow(abi.MS(now), d.handles[n], int32(flow), what))
	d.poll()
}

// Close is Driver's.
func (d *ExportsDriver) Close(now time.Duration, n int, linger time.Duration) {
	d.must(d.exports.Close(abi.MS(now), d.handles[n], abi.MS(linger)))
	d.poll()
}

// Free is Driver's.
func (d *ExportsDriver) Free(n int) { d.must(d.exports.Free(d.handles[n])) }

// Tick is Driver's. The deadline that it answers is the header's.
func (d *ExportsDriver) Tick(now time.Duration) {
	next := d.exports.Tick(abi.DeadlineMS(now))
	if math.Float64bits(next) != math.Float64bits(abi.Header(d.region).Next()) {
		panic(fmt.Sprintf("turntest: turn_tick answers %v, the header says %v", next, abi.Header(d.region).Next()))
	}
	d.poll()
}

// Effects is Driver's.
func (d *ExportsDriver) Effects(time.Duration) []Effect {
	out := d.effects
	d.effects = nil
	return out
}

// collect reads the first n out-descriptors.
func (d *ExportsDriver) collect(n int32) {
	for i := range int(n) {
		var desc abi.Desc
		desc.Load(d.layout.Out.At(d.region, i))
		for k := range desc.Count {
			at := desc.Offset + k*desc.Stride
			d.effects = append(d.effects, d.effect(&desc, bytes.Clone(d.region[at:at+desc.Length])))
		}
	}
}

func (d *ExportsDriver) effect(desc *abi.Desc, data []byte) Effect {
	e := Effect{Client: d.number(desc.Client)}
	switch desc.Kind {
	case abi.KindTransmit:
		e.Transmit = &client.Transmit{Flow: client.Flow(desc.Flow), To: desc.Addr, Data: data}
	case abi.KindData:
		e.Event = &client.Event{Kind: client.DataReceived, Peer: desc.Addr, Channel: uint16(desc.Channel), Flow: client.Flow(desc.Flow), Data: data}
	case abi.KindParting:
		e.Event = &client.Event{Kind: client.PartingChanged}
		e.Parting, e.PartingUntil = partingOf(desc, data)
	case abi.KindEvent:
		event, err := abi.ParseEvent(data)
		if err != nil {
			panic(fmt.Sprintf("turntest: an event record: %v", err))
		}
		e.Event = &event
	default:
		panic(fmt.Sprintf("turntest: an out-descriptor of kind %d", desc.Kind))
	}
	return e
}

func partingOf(desc *abi.Desc, data []byte) ([]byte, time.Duration) {
	if len(data) == 0 {
		return nil, 0
	}
	until, _ := abi.Duration(math.Float64frombits(desc.Tag))
	return data, until
}

func (d *ExportsDriver) number(handle int32) int {
	for n, h := range d.handles {
		if h == handle {
			return n
		}
	}
	panic(fmt.Sprintf("turntest: the boundary names the handle %d", handle))
}

// State is Driver's.
func (d *ExportsDriver) State(n int) abi.State {
	size := d.must(d.exports.State(d.handles[n]))
	s, err := abi.ParseState(d.layout.ControlOut.Of(d.region)[:size])
	if err != nil {
		panic(fmt.Sprintf("turntest: a state record: %v", err))
	}
	return s
}

// Stats is Driver's.
func (d *ExportsDriver) Stats(n int) client.Stats {
	size := d.must(d.exports.Stats(d.handles[n]))
	return abi.ParseStats(d.layout.ControlOut.Of(d.region)[:size])
}

// Parting is Driver's.
func (d *ExportsDriver) Parting(now time.Duration, n int) ([]byte, time.Duration) {
	if d.must(d.exports.Parting(abi.MS(now), d.handles[n])) == 0 {
		return nil, 0
	}
	var desc abi.Desc
	desc.Load(d.layout.Out.At(d.region, 0))
	return partingOf(&desc, bytes.Clone(d.region[desc.Offset:desc.Offset+desc.Length]))
}
