package abi

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"
)

// Record is one that is being written: attributes are appended to it. It may
// lie over any slice, as the ones of package append do.
type Record []byte

// attrHeader is the size of an attribute's type and length.
const attrHeader = 4

func (r *Record) begin(t Attr, n int) {
	*r = binary.LittleEndian.AppendUint16(*r, uint16(t))
	*r = binary.LittleEndian.AppendUint16(*r, uint16(n))
}

func (r *Record) pad(n int) {
	for ; n%4 != 0; n++ {
		*r = append(*r, 0)
	}
}

// maxValue is the longest value of an attribute.
const maxValue = math.MaxUint16

// Bytes appends an attribute of bytes or a string. A value longer than 65535
// bytes is cut.
func (r *Record) Bytes(t Attr, v []byte) {
	v = v[:min(len(v), maxValue)]
	r.begin(t, len(v))
	*r = append(*r, v...)
	r.pad(len(v))
}

// Text appends a string.
func (r *Record) Text(t Attr, v string) {
	v = v[:min(len(v), maxValue)]
	r.begin(t, len(v))
	*r = append(*r, v...)
	r.pad(len(v))
}

// Flag appends an empty attribute when on is true.
func (r *Record) Flag(t Attr, on bool) {
	if on {
		r.begin(t, 0)
	}
}

// U8 appends a number of one byte.
func (r *Record) U8(t Attr, v uint8) {
	r.begin(t, 1)
	*r = append(*r, v)
	r.pad(1)
}

// U16 appends a number of two bytes.
func (r *Record) U16(t Attr, v uint16) {
	r.begin(t, 2)
	*r = binary.LittleEndian.AppendUint16(*r, v)
	r.pad(2)
}

// U32 appends a number of four bytes.
func (r *Record) U32(t Attr, v uint32) {
	r.begin(t, 4)
	*r = binary.LittleEndian.AppendUint32(*r, v)
}

// Time appends a time or an instant, as f64 milliseconds.
func (r *Record) Time(t Attr, v time.Duration) {
	r.begin(t, 8)
	*r = binary.LittleEndian.AppendUint64(*r, math.Float64bits(MS(v)))
}

// Addr appends an address. A zone is dropped.
func (r *Record) Addr(t Attr, v netip.AddrPort) {
	family, n := byte(4), 8
	if !v.Addr().Is4() {
		family, n = 6, 20
	}
	r.begin(t, n)
	*r = append(*r, family, 0)
	*r = binary.LittleEndian.AppendUint16(*r, v.Port())
	if family == 4 {
		ip := v.Addr().As4()
		*r = append(*r, ip[:]...)
		return
	}
	ip := v.Addr().As16()
	*r = append(*r, ip[:]...)
}

// attribute is one that was read.
type attribute struct {
	t     Attr
	value []byte // a part of the record
}

// reader walks through a record. It never panics, whatever the bytes are.
type reader struct {
	rest    []byte
	repeats Attr   // the type that may come more than once; 0 = none
	seen    uint64 // attributes below 64 that were there already
	err     error
}

// next answers the attributes in their order, duplicates left out unless the
// type repeats. It answers false at the end and at the first fault; err says
// which.
func (r *reader) next() (a attribute, ok bool) {
	for r.err == nil && len(r.rest) > 0 {
		a, ok = r.read()
		if ok && (r.first(a.t) || a.t == r.repeats) {
			return a, true
		}
	}
	return attribute{}, false
}

func (r *reader) read() (a attribute, ok bool) {
	if len(r.rest) < attrHeader {
		r.err = Detail(ErrArgument, "record ends inside an attribute's header")
		return a, false
	}
	a.t = Attr(binary.LittleEndian.Uint16(r.rest))
	n := int(binary.LittleEndian.Uint16(r.rest[2:]))
	padded := (n + 3) &^ 3
	if len(r.rest) < attrHeader+padded {
		r.err = Detail(ErrArgument, "record ends inside attribute "+hexOf(uint32(a.t)))
		return a, false
	}
	a.value = r.rest[attrHeader : attrHeader+n : attrHeader+n]
	r.rest = r.rest[attrHeader+padded:]
	return a, true
}

func (r *reader) first(t Attr) bool {
	if t >= 64 {
		return true // unknown: skipped by whoever asked
	}
	was := r.seen >> t & 1
	r.seen |= 1 << t
	return was == 0
}

func (r *reader) has(t Attr) bool { return r.seen>>t&1 == 1 }

// fail keeps the first fault.
func (r *reader) fail(a attribute, want string) {
	if r.err == nil {
		r.err = Detail(ErrArgument, "attribute "+hexOf(uint32(a.t))+" of "+bytesOf(len(a.value))+" is not "+want)
	}
}

func (r *reader) number(a attribute, size int) uint64 {
	if len(a.value) != size {
		r.fail(a, "a number of "+bytesOf(size))
		return 0
	}
	var b [8]byte
	copy(b[:], a.value)
	return binary.LittleEndian.Uint64(b[:])
}

func (r *reader) u8(a attribute) uint8   { return uint8(r.number(a, 1)) }
func (r *reader) u16(a attribute) uint16 { return uint16(r.number(a, 2)) }
func (r *reader) u32(a attribute) uint32 { return uint32(r.number(a, 4)) }

// count is a u32 that is kept in an int.
func (r *reader) count(a attribute) int {
	n := r.u32(a)
	if n > math.MaxInt32 {
		r.fail(a, "a number below 2^31")
		return 0
	}
	return int(n)
}

func (r *reader) time(a attribute) time.Duration {
	d, ok := Duration(math.Float64frombits(r.number(a, 8)))
	if !ok {
		r.fail(a, "a time in milliseconds, 0 to 9e12")
	}
	return d
}

func (r *reader) flag(a attribute) bool {
	if len(a.value) != 0 {
		r.fail(a, "a flag")
	}
	return true
}

func (r *reader) addr(a attribute) netip.AddrPort {
	v := a.value
	switch {
	case len(v) == 8 && v[0] == 4:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(v[4:])), binary.LittleEndian.Uint16(v[2:]))
	case len(v) == 20 && v[0] == 6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(v[4:])), binary.LittleEndian.Uint16(v[2:]))
	}
	r.fail(a, "an address")
	return netip.AddrPort{}
}
