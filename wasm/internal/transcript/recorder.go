package transcript

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/turnwasm/turnwasm/wasm/abi"
	"github.com/turnwasm/turnwasm/wasm/instance"
)

// recorder stands between a driver and an instance.
type recorder struct {
	region []byte
	layout abi.Layout
	turn   *instance.Instance
	steps  []*Step
}

func newRecorder() *recorder {
	layout := abi.DefaultLayout()
	region := make([]byte, layout.Size)
	return &recorder{region: region, layout: layout, turn: instance.New(region, layout, instance.Options{Rand: rand.Reader})}
}

// begin writes down a call.
func (r *recorder) begin(call string, now *Number, args ...any) *Step {
	s := &Step{Call: call, Now: now, Args: args, Out: []Desc{}}
	r.steps = append(r.steps, s)
	return s
}

func at(now float64) *Number { return (*Number)(&now) }

// end writes down what came of it.
func (r *recorder) end(s *Step, ret int32) int32 {
	s.Ret = Number(ret)
	s.Next = Number(abi.Header(r.region).Next())
	if ret < 0 || s.Status < 0 {
		s.Error = string(r.controlOut(int(abi.Header(r.region).ErrorLen())))
	}
	return ret
}

func (r *recorder) controlIn(n int32) Bytes {
	return bytes.Clone(r.layout.ControlIn.Of(r.region)[:n])
}

func (r *recorder) controlOut(n int) Bytes {
	return bytes.Clone(r.layout.ControlOut.Of(r.region)[:n])
}

// collect reads the first n out-descriptors.
func (r *recorder) collect(s *Step, n int32) {
	for i := range int(max(0, n)) {
		v := r.layout.Out.At(r.region, i)
		d := desc(v)
		packets := []Bytes{}
		for k := range v.Count() {
			from := v.Offset() + k*v.Stride()
			packets = append(packets, bytes.Clone(r.region[from:from+v.Length()]))
		}
		d.Data = packets
		s.Out = append(s.Out, d)
	}
}

// desc is a descriptor without what it points at.
func desc(v abi.View) Desc {
	e := abi.EndpointOf(v.Addr())
	addr := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, e.First), e.Last)
	d := Desc{
		Client: v.Client(), Kind: v.Kind(), Family: e.Family, Port: e.Port,
		Flow: v.Flow(), Peer: v.Peer(), Status: v.Status(), Channel: v.Channel(),
	}
	if e.Family != 0 {
		d.Addr = addr
	}
	if v.Tag() != 0 {
		d.Tag = fmt.Sprintf("%016x", v.Tag())
	}
	return d
}

func (r *recorder) Open(now float64, n int32) int32 {
	s := r.begin("turn_open", at(now))
	s.In = r.controlIn(n)
	return r.end(s, r.turn.Open(now, n))
}

func (r *recorder) Command(now float64, h, n int32) int32 {
	s := r.begin("turn_command", at(now), h)
	s.In = r.controlIn(n)
	return r.end(s, r.turn.Command(now, h, n))
}

func (r *recorder) Flow(now float64, h, flow, what int32) int32 {
	return r.end(r.begin("turn_flow", at(now), h, flow, what), r.turn.Flow(now, h, flow, what))
}

func (r *recorder) Input(now float64, n int32) int32 {
	return r.batch("turn_input", now, n, r.turn.Input)
}

func (r *recorder) Send(now float64, n int32) int32 {
	return r.batch("turn_send", now, n, r.turn.Send)
}

func (r *recorder) batch(call string, now float64, n int32, do func(float64, int32) int32) int32 {
	if n != 1 {
		panic("transcripts: a batch of more than one")
	}
	s, v := r.begin(call, at(now)), r.layout.In.At(r.region, 0)
	d := desc(v)
	d.Data = Bytes(bytes.Clone(r.region[v.Offset() : v.Offset()+v.Length()]))
	s.Desc = &d
	ret := do(now, n)
	s.Status = v.Status()
	r.end(s, ret)
	r.collect(s, ret)
	return ret
}

// Poll is part of the step before it.
func (r *recorder) Poll() int32 {
	s := r.steps[len(r.steps)-1]
	n := r.turn.Poll()
	r.collect(s, n)
	s.Next = Number(abi.Header(r.region).Next())
	return n
}

func (r *recorder) Tick(now float64) float64 {
	s := r.begin("turn_tick", at(now))
	next := r.turn.Tick(now)
	r.end(s, 0)
	s.Ret = Number(next)
	return next
}

func (r *recorder) Close(now float64, h int32, linger float64) int32 {
	return r.end(r.begin("turn_close", at(now), h, linger), r.turn.Close(now, h, linger))
}

func (r *recorder) State(h int32) int32 {
	return r.told(r.begin("turn_state", nil, h), r.turn.State(h))
}

func (r *recorder) Stats(h int32) int32 {
	return r.told(r.begin("turn_stats", nil, h), r.turn.Stats(h))
}

// told is end for a record in control-out.
func (r *recorder) told(s *Step, n int32) int32 {
	s.Control = r.controlOut(int(max(0, n)))
	return r.end(s, n)
}

func (r *recorder) Parting(now float64, h int32) int32 {
	s := r.begin("turn_parting", at(now), h)
	n := r.end(s, r.turn.Parting(now, h))
	r.collect(s, n)
	return n
}

func (r *recorder) Free(h int32) int32 {
	return r.end(r.begin("turn_free", nil, h), r.turn.Free(h))
}
