package abi

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
)

// HeaderSize is the size of the region's header in bytes.
const HeaderSize = 128

// Headroom bytes in front of the first payload to send and Tailroom bytes
// behind the last one belong to the guest: the header of a Send indication is
// written there, and its padding.
const (
	Headroom = 64
	Tailroom = 4
)

// Where the live fields of the header lie; the picture stands in doc.go.
const (
	headNext     = 64
	headPending  = 72
	headConsumed = 76
	headErrorLen = 80
	headClients  = 84
	headMost     = 88
	headMemory   = 92
)

// Layout says where everything lies in a region. Offsets are from the region's
// start, sizes in bytes, counts in descriptors.
type Layout struct {
	Size       uint32
	ControlIn  Span
	ControlOut Span
	In         Table
	Out        Table
	Arena      Span
}

// Span is a part of the region.
type Span struct{ Offset, Size uint32 }

// Table is a part of the region that holds descriptors.
type Table struct{ Offset, Count uint32 }

// End is the offset behind the span.
func (s Span) End() uint32 { return s.Offset + s.Size }

// Holds says whether n bytes at off lie inside the span. It cannot overflow.
func (s Span) Holds(off, n uint32) bool {
	return off >= s.Offset && off <= s.End() && n <= s.End()-off
}

// Of is the span's part of the region.
func (s Span) Of(region []byte) []byte { return region[s.Offset:s.End():s.End()] }

// At is the descriptor i of the table.
func (t Table) At(region []byte, i int) View {
	at := int(t.Offset) + i*DescSize
	return View(region[at : at+DescSize : at+DescSize])
}

// Words is At for the data path: one check for all of the descriptor.
func (t Table) Words(region []byte, i int) *Words {
	return (*Words)(region[int(t.Offset)+i*DescSize:])
}

// Page is what the parts of the region are aligned to.
const Page = 4096

// DefaultLayout is what the module and the native engine use: 16 KiB
// control-in, 128 KiB control-out, 1024 in- and 2048 out-descriptors, an arena
// of 2 MiB.
func DefaultLayout() Layout {
	return NewLayout(16<<10, 128<<10, 1024, 2048, 2<<20)
}

// NewLayout lays the parts out one behind the other, each on a page of its own.
func NewLayout(controlIn, controlOut, in, out, arena uint32) Layout {
	var l Layout
	at := uint32(Page)
	place := func(size uint32) uint32 {
		start := at
		at += (size + Page - 1) &^ (Page - 1)
		return start
	}
	l.ControlIn = Span{place(controlIn), controlIn}
	l.ControlOut = Span{place(controlOut), controlOut}
	l.In = Table{place(in * DescSize), in}
	l.Out = Table{place(out * DescSize), out}
	l.Arena = Span{place(arena), arena}
	l.Size = at
	return l
}

// Store writes the header, its live fields cleared, and no deadline.
func (l Layout) Store(region []byte) {
	clear(region[:HeaderSize])
	for i, n := range [...]uint32{
		Magic, Version, l.Size, DescSize,
		l.ControlIn.Offset, l.ControlIn.Size, l.ControlOut.Offset, l.ControlOut.Size,
		l.In.Offset, l.In.Count, l.Out.Offset, l.Out.Count,
		l.Arena.Offset, l.Arena.Size, Headroom, Tailroom,
	} {
		binary.LittleEndian.PutUint32(region[4*i:], n)
	}
	Header(region).SetNext(math.Inf(1))
}

// ErrLayout is wrapped by every error of LoadLayout.
var ErrLayout = errors.New("turn: not a region of this ABI")

// LoadLayout reads the header at the start of mem and checks it: what it
// answers lies inside mem.
func LoadLayout(mem []byte) (Layout, error) {
	if len(mem) < HeaderSize {
		return Layout{}, Detail(ErrLayout, bytesOf(len(mem)))
	}
	var f [16]uint32
	for i := range f {
		f[i] = binary.LittleEndian.Uint32(mem[4*i:])
	}
	l := Layout{
		Size: f[2], ControlIn: Span{f[4], f[5]}, ControlOut: Span{f[6], f[7]},
		In: Table{f[8], f[9]}, Out: Table{f[10], f[11]}, Arena: Span{f[12], f[13]},
	}
	switch {
	case f[0] != Magic:
		return Layout{}, Detail(ErrLayout, "it begins with "+hexOf(f[0]))
	case f[1] != Version:
		return Layout{}, Detail(ErrLayout, "it has version "+itoa(f[1])+", this host speaks "+itoa(uint32(Version)))
	case f[3] != DescSize:
		return Layout{}, Detail(ErrLayout, "descriptors of "+bytesOf(int(f[3])))
	case f[14] != Headroom || f[15] != Tailroom:
		return Layout{}, Detail(ErrLayout, "headroom "+itoa(f[14])+", tailroom "+itoa(f[15]))
	}
	return l, l.check(len(mem))
}

func (l Layout) check(have int) error {
	if uint64(l.Size) > uint64(have) {
		return Detail(ErrLayout, bytesOf(int(l.Size))+" long, "+strconv.Itoa(have)+" are there")
	}
	whole := Span{HeaderSize, l.Size - HeaderSize}
	for name, s := range map[string]Span{
		"control-in": l.ControlIn, "control-out": l.ControlOut, "arena": l.Arena,
	} {
		if !whole.Holds(s.Offset, s.Size) {
			return Detail(ErrLayout, name+" lies outside")
		}
	}
	for name, t := range map[string]Table{"in-descriptors": l.In, "out-descriptors": l.Out} {
		if t.Count > l.Size/DescSize || !whole.Holds(t.Offset, t.Count*DescSize) {
			return Detail(ErrLayout, name+" lie outside")
		}
	}
	return nil
}

// Header is the region, seen as its header's live fields.
type Header []byte

// Next is the earliest deadline of all clients in ms; +Inf = none.
func (h Header) Next() float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(h[headNext:]))
}

// Pending says that turn_poll has something.
func (h Header) Pending() bool { return h.u32(headPending) != 0 }

// Consumed is how many in-descriptors the last batch has done with.
func (h Header) Consumed() int { return int(h.u32(headConsumed)) }

// ErrorLen is the length of the last error's text at the start of control-out.
func (h Header) ErrorLen() int { return int(h.u32(headErrorLen)) }

// Clients is how many clients are alive.
func (h Header) Clients() int { return int(h.u32(headClients)) }

// MostClients is how many clients turn_open lets live. The guest writes its own
// bound at the start; a host may lower it.
func (h Header) MostClients() int { return int(h.u32(headMost)) }

// MemoryLimit is how many bytes of memory the instance may come to; when three
// quarters are in use it refuses what would take more. 0 = it does not look.
// The guest writes its own bound at the start; a host that gives the module
// less lowers it.
func (h Header) MemoryLimit() uint32 { return h.u32(headMemory) }

// The setters of the live fields.
func (h Header) SetNext(ms float64) {
	binary.LittleEndian.PutUint64(h[headNext:], math.Float64bits(ms))
}
func (h Header) SetConsumed(n int)       { h.put32(headConsumed, uint32(n)) }
func (h Header) SetErrorLen(n int)       { h.put32(headErrorLen, uint32(n)) }
func (h Header) SetClients(n int)        { h.put32(headClients, uint32(n)) }
func (h Header) SetMostClients(n int)    { h.put32(headMost, uint32(n)) }
func (h Header) SetMemoryLimit(n uint32) { h.put32(headMemory, n) }
func (h Header) SetPending(yes bool) {
	n := uint32(0)
	if yes {
		n = 1
	}
	h.put32(headPending, n)
}

func (h Header) u32(at int) uint32      { return binary.LittleEndian.Uint32(h[at:]) }
func (h Header) put32(at int, n uint32) { binary.LittleEndian.PutUint32(h[at:], n) }
