package abi

import (
	"encoding/binary"
	"net/netip"
)

// DescSize is the size of a descriptor in bytes.
const DescSize = 64

// Where the fields of a descriptor lie; the picture stands in doc.go.
const (
	descClient  = 0
	descKind    = 4
	descFamily  = 5
	descPort    = 6
	descFlow    = 8
	descPeer    = 12
	descOffset  = 16
	descLength  = 20
	descCount   = 24
	descStride  = 28
	descStatus  = 32
	descChannel = 36
	descAddr    = 40
	descTag     = 56
)

// Desc is a descriptor with all its fields.
type Desc struct {
	Client  int32          // handle
	Kind    Kind           // what it is
	Addr    netip.AddrPort // inline address; the zero value = none
	Flow    uint32
	Peer    uint32 // peer number; 0 = the inline address
	Offset  uint32 // from the region's start
	Length  uint32 // of one packet
	Count   uint32 // equal packets
	Stride  uint32 // from one packet's first byte to the next one's
	Status  Code
	Channel uint32 // KindData: channel number
	Tag     uint64 // the host's own
}

// Load reads the descriptor at the start of b, which holds DescSize bytes.
func (d *Desc) Load(b []byte) {
	v := View(b)
	d.Client, d.Kind, d.Addr = v.Client(), v.Kind(), v.Addr()
	d.Flow, d.Peer = v.Flow(), v.Peer()
	d.Offset, d.Length = v.Offset(), v.Length()
	d.Count, d.Stride = v.Count(), v.Stride()
	d.Status, d.Channel, d.Tag = v.Status(), v.Channel(), v.Tag()
}

// Store writes the descriptor, all 64 bytes of it, to the start of b.
func (d *Desc) Store(b []byte) {
	v := View(b)
	v.SetClient(d.Client)
	v.SetKind(d.Kind)
	v.SetAddr(d.Addr)
	v.SetFlow(d.Flow)
	v.SetPeer(d.Peer)
	v.SetSpan(d.Offset, d.Length)
	v.SetRun(d.Count, d.Stride)
	v.SetStatus(d.Status)
	v.SetChannel(d.Channel)
	v.SetTag(d.Tag)
}

// View is a descriptor where it lies, for the data path: each method touches
// one field. It holds at least DescSize bytes.
type View []byte

// The fields, as Desc names them.
func (v View) Client() int32   { return int32(v.u32(descClient)) }
func (v View) Kind() Kind      { return Kind(v[descKind]) }
func (v View) Flow() uint32    { return v.u32(descFlow) }
func (v View) Peer() uint32    { return v.u32(descPeer) }
func (v View) Offset() uint32  { return v.u32(descOffset) }
func (v View) Length() uint32  { return v.u32(descLength) }
func (v View) Count() uint32   { return v.u32(descCount) }
func (v View) Stride() uint32  { return v.u32(descStride) }
func (v View) Status() Code    { return Code(v.u32(descStatus)) }
func (v View) Channel() uint32 { return v.u32(descChannel) }
func (v View) Tag() uint64     { return binary.LittleEndian.Uint64(v[descTag:]) }

// Addr is the inline address; the zero value when the family says none.
func (v View) Addr() netip.AddrPort {
	port := binary.LittleEndian.Uint16(v[descPort:])
	switch v[descFamily] {
	case 4:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(v[descAddr:])), port)
	case 6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(v[descAddr:])), port)
	}
	return netip.AddrPort{}
}

// The setters, one field each; SetSpan and SetRun two that go together.
func (v View) SetClient(h int32)        { v.put32(descClient, uint32(h)) }
func (v View) SetKind(k Kind)           { v[descKind] = byte(k) }
func (v View) SetFlow(f uint32)         { v.put32(descFlow, f) }
func (v View) SetPeer(n uint32)         { v.put32(descPeer, n) }
func (v View) SetSpan(off, n uint32)    { v.put32(descOffset, off); v.put32(descLength, n) }
func (v View) SetRun(n, stride uint32)  { v.put32(descCount, n); v.put32(descStride, stride) }
func (v View) SetStatus(c Code)         { v.put32(descStatus, uint32(c)) }
func (v View) SetChannel(number uint32) { v.put32(descChannel, number) }
func (v View) SetTag(t uint64)          { binary.LittleEndian.PutUint64(v[descTag:], t) }

// Begin makes the descriptor a new one: one packet of a client, the rest zero.
func (v View) Begin(h int32, kind Kind, tag uint64) {
	v.Packet(&Packet{Client: h, Kind: kind, Tag: tag}, &Endpoint{})
}

// Words is a descriptor as eight little-endian words, for the data path, where
// each access counts:
//
//	0 client, kind, family, port    4 status, channel
//	1 flow, peer                    5 address, first half
//	2 offset, length                6 address, second half
//	3 count, stride                 7 tag
//
// What comes first in a word is its low half.
type Words [DescSize]byte

// Get is the word i.
func (w *Words) Get(i int) uint64 { return binary.LittleEndian.Uint64(w[8*i:]) }

// Put sets the word i.
func (w *Words) Put(i int, x uint64) { binary.LittleEndian.PutUint64(w[8*i:], x) }

// ClearStatus makes the status CodeOK.
func (w *Words) ClearStatus() { binary.LittleEndian.PutUint32(w[descStatus:], 0) }

// Word is two halves of 32 bits as one word.
func Word(low, high uint32) uint64 { return uint64(low) | uint64(high)<<32 }

// HeadWord is a descriptor's first word; at may be a zero Endpoint.
func HeadWord(h int32, kind Kind, at *Endpoint) uint64 {
	return uint64(uint32(h)) | uint64(kind)<<32 | uint64(at.Family)<<40 | uint64(at.Port)<<48
}

// Packet is what the data path says of one packet.
type Packet struct {
	Client         int32
	Kind           Kind
	Flow, Peer     uint32
	Offset, Length uint32
	Channel        uint32
	Stride         uint32 // to the next packet of its run; it is not written
	Tag            uint64
}

// Packet makes the descriptor a new one, of one packet: eight stores, for this
// is done for each packet.
func (v View) Packet(p *Packet, at *Endpoint) {
	w := (*Words)(v)
	w.Put(0, HeadWord(p.Client, p.Kind, at))
	w.Put(1, Word(p.Flow, p.Peer))
	w.Put(2, Word(p.Offset, p.Length))
	w.Put(3, 1)
	w.Put(4, Word(0, p.Channel))
	w.Put(5, at.First)
	w.Put(6, at.Last)
	w.Put(7, p.Tag)
}

// SetAddr sets the inline address; the zero value = none. A zone is dropped:
// it means something to one machine alone.
func (v View) SetAddr(a netip.AddrPort) {
	e := EndpointOf(a)
	v.SetEndpoint(&e)
}

// Endpoint is an inline address as a descriptor holds it, for those who write
// the same one often.
type Endpoint struct {
	First, Last uint64 // the address's 16 bytes
	Port        uint16
	Family      uint8 // 0 = none
}

// EndpointOf is the address as a descriptor holds it.
func EndpointOf(a netip.AddrPort) Endpoint {
	e := Endpoint{Port: a.Port()}
	var b [16]byte
	switch ip := a.Addr(); {
	case ip.Is4():
		v4 := ip.As4()
		copy(b[:], v4[:])
		e.Family = 4
	case ip.IsValid():
		b = ip.As16()
		e.Family = 6
	}
	e.First, e.Last = binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])
	return e
}

// SetEndpoint sets the inline address.
func (v View) SetEndpoint(e *Endpoint) {
	v[descFamily] = e.Family
	binary.LittleEndian.PutUint16(v[descPort:], e.Port)
	binary.LittleEndian.PutUint64(v[descAddr:], e.First)
	binary.LittleEndian.PutUint64(v[descAddr+8:], e.Last)
}

// HasAddr says whether there is an inline address.
func (v View) HasAddr() bool { return v[descFamily] != 0 }

func (v View) u32(at int) uint32      { return binary.LittleEndian.Uint32(v[at:]) }
func (v View) put32(at int, n uint32) { binary.LittleEndian.PutUint32(v[at:], n) }
