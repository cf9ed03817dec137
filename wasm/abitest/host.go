// Package abitest is a host for tests: it calls the exports of an instance,
// natively or under a WebAssembly runtime, follows the rules of package abi's
// page to the letter, and keeps a transcript of every byte that came out.
package abitest

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"math"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Exports are the calls of package abi's page.
type Exports interface {
	Open(now float64, n int32) int32
	Command(now float64, h, n int32) int32
	Flow(now float64, h, flow, what int32) int32
	Peer(h, n int32) int32
	Input(now float64, n int32) int32
	Send(now float64, n int32) int32
	Poll() int32
	Tick(now float64) float64
	Close(now float64, h int32, linger float64) int32
	State(h int32) int32
	Stats(h int32) int32
	Parting(now float64, h int32) int32
	Free(h int32) int32
	Snapshot(now float64, h, offset, size int32) int32
	Restore(now, elapsed float64, offset, n int32) int32
}

// Host drives one instance.
type Host struct {
	Exports
	Region []byte
	Layout abi.Layout
	Header abi.Header
	Now    time.Duration

	t          testing.TB
	transcript hash.Hash
}

// NewHost takes an instance.
func NewHost(t testing.TB, x Exports, region []byte) *Host {
	t.Helper()
	layout, err := abi.LoadLayout(region)
	if err != nil {
		t.Fatalf("region: %v", err)
	}
	return &Host{
		Exports: x, Region: region, Layout: layout, Header: abi.Header(region),
		t: t, transcript: sha256.New(),
	}
}

// Out is an out-descriptor with copies of what it points at.
type Out struct {
	abi.Desc
	Packets [][]byte
	Event   client.Event // KindEvent
}

// Sum is the SHA-256 of every out-descriptor and byte so far.
func (h *Host) Sum() string { return hex.EncodeToString(h.transcript.Sum(nil)) }

func (h *Host) ms() float64 { return abi.MS(h.Now) }

// Control puts a record into control-in.
func (h *Host) Control(rec []byte) int32 {
	return int32(copy(h.Layout.ControlIn.Of(h.Region), rec))
}

// ErrorText is the last error's text.
func (h *Host) ErrorText() string {
	return string(h.Layout.ControlOut.Of(h.Region)[:h.Header.ErrorLen()])
}

// MustOpen opens a client.
func (h *Host) MustOpen(cfg client.Config, seed []byte) int32 {
	h.t.Helper()
	handle := h.Open(h.ms(), h.Control(abi.AppendConfig(nil, &cfg, seed)))
	if handle <= 0 {
		h.t.Fatalf("turn_open: %d %s", handle, h.ErrorText())
	}
	return handle
}

// Do carries out a command and drains.
func (h *Host) Do(handle int32, c abi.Command) (abi.Code, []Out) {
	h.t.Helper()
	code := abi.Code(h.Command(h.ms(), handle, h.Control(abi.AppendCommand(nil, &c))))
	return code, h.Drain(nil)
}

// Bye closes a client and drains.
func (h *Host) Bye(handle int32, linger time.Duration) []Out {
	h.t.Helper()
	if code := h.Close(h.ms(), handle, abi.MS(linger)); code != 0 {
		h.t.Fatalf("turn_close: %d %s", code, h.ErrorText())
	}
	return h.Drain(nil)
}

// Wake ticks and drains.
func (h *Host) Wake() []Out {
	h.t.Helper()
	if next := h.Tick(h.ms()); math.IsNaN(next) {
		h.t.Fatalf("turn_tick(%v) is NaN", h.ms())
	}
	return h.Drain(nil)
}

// Next is the deadline of all clients.
func (h *Host) Next() (at time.Duration, ok bool) { return abi.Duration(h.Header.Next()) }

// Receive hands one datagram in, from a connected socket, and drains.
func (h *Host) Receive(handle int32, flow uint32, datagram []byte) []Out {
	h.t.Helper()
	off := h.Layout.Arena.Offset
	copy(h.Region[off:], datagram)
	d := abi.Desc{Client: handle, Kind: abi.KindInput, Flow: flow, Offset: off, Length: uint32(len(datagram)), Count: 1}
	d.Store(h.Layout.In.At(h.Region, 0))
	return h.Drain(h.Read(h.Input(h.ms(), 1)))
}

// Submit runs n in-descriptors, which stand, through call until all are done.
func (h *Host) Submit(call func(float64, int32) int32, n int) []Out {
	h.t.Helper()
	var outs []Out
	for n > 0 {
		outs = append(outs, h.Read(call(h.ms(), int32(n)))...)
		done := h.Header.Consumed()
		for i := done; i < n; i++ {
			copy(h.Layout.In.At(h.Region, i-done), h.Layout.In.At(h.Region, i))
		}
		n -= done
		outs = h.Drain(outs)
	}
	return outs
}

// Drain polls until nothing is pending.
func (h *Host) Drain(outs []Out) []Out {
	h.t.Helper()
	for rounds := 0; h.Header.Pending(); rounds++ {
		if rounds > 1<<16 {
			h.t.Fatal("turn_poll never ends")
		}
		outs = append(outs, h.Read(h.Poll())...)
	}
	return outs
}

// Read takes the out-descriptors that a call answered.
func (h *Host) Read(n int32) []Out {
	h.t.Helper()
	if n < 0 || n > int32(h.Layout.Out.Count) {
		h.t.Fatalf("%d out-descriptors: %s", n, h.ErrorText())
	}
	outs := make([]Out, n)
	for i := range outs {
		v := h.Layout.Out.At(h.Region, i)
		h.transcript.Write(v)
		outs[i].Load(v)
		h.packets(&outs[i])
	}
	return outs
}

func (h *Host) packets(o *Out) {
	for i := range o.Count {
		at := o.Offset + i*o.Stride
		if !h.Layout.Arena.Holds(at, o.Length) && !h.Layout.ControlOut.Holds(at, o.Length) && o.Length > 0 {
			h.t.Fatalf("descriptor %+v points outside of arena and control-out", o.Desc)
		}
		p := append([]byte(nil), h.Region[at:at+o.Length]...)
		h.transcript.Write(p)
		o.Packets = append(o.Packets, p)
	}
	if o.Kind == abi.KindEvent {
		e, err := abi.ParseEvent(o.Packets[0])
		if err != nil {
			h.t.Fatalf("event record % x: %v", o.Packets[0], err)
		}
		o.Event = e
	}
}
