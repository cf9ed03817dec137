package client

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"time"
)

// archive is a snapshot that is being counted, written or read: one description
// of what is in it serves all three. Who reads has an attacker's bytes: the first
// fault ends it, and every number has a bound.
type archive struct {
	mode  archiveMode
	bytes []byte        // written so far, or left to be read
	size  int           // counted so far
	base  time.Duration // instants are counted from it
	fault string        // what is wrong with what was read; "" = nothing

	credentials []*credential // those that were named, in their order
}

type archiveMode uint8

const (
	counting archiveMode = iota
	writing
	reading
)

func (a *archive) reads() bool { return a.mode == reading }

//go:noinline
func (a *archive) fail(why string) {
	if a.fault == "" {
		a.fault, a.bytes = why, nil
	}
}

// put takes bytes where nothing is read.
//
//go:noinline
func (a *archive) put(b []byte) {
	if a.size += len(b); a.mode == writing {
		a.bytes = append(a.bytes, b...)
	}
}

// take answers the next n bytes, nil when they are not there.
//
//go:noinline
func (a *archive) take(n uint64) []byte {
	if n > uint64(len(a.bytes)) {
		a.fail("it is cut short")
		return nil
	}
	b := a.bytes[:n:n]
	a.bytes = a.bytes[n:]
	return b
}

// uvarint is the only form of numbers.
//
//go:noinline
func (a *archive) uvarint(x, most uint64) uint64 {
	if !a.reads() {
		var room [binary.MaxVarintLen64]byte
		a.put(room[:binary.PutUvarint(room[:], x)])
		return x
	}
	v, n := binary.Uvarint(a.bytes)
	if n <= 0 || v > most {
		a.fail("a number is cut short or out of range")
		return 0
	}
	a.bytes = a.bytes[n:]
	return v
}

//go:noinline
func (a *archive) u8(x *uint8, most uint8) { *x = uint8(a.uvarint(uint64(*x), uint64(most))) }

//go:noinline
func (a *archive) u16(x *uint16, most uint16) { *x = uint16(a.uvarint(uint64(*x), uint64(most))) }

//go:noinline
func (a *archive) u32(x *uint32, most uint32) { *x = uint32(a.uvarint(uint64(*x), uint64(most))) }
func (a *archive) u64(x *uint64)              { *x = a.uvarint(*x, 1<<64-1) }

//go:noinline
func (a *archive) count(n int, most uint64) int { return int(a.uvarint(uint64(n), most)) }

// flags are up to eight of them in a byte.
//
//go:noinline
func (a *archive) flags(all ...*bool) {
	var x uint8
	for i, f := range all {
		if *f {
			x |= 1 << i
		}
	}
	a.u8(&x, 1<<len(all)-1)
	for i, f := range all {
		*f = x>>i&1 == 1
	}
}

//go:noinline
func (a *archive) blob(x *[]byte, most uint64) {
	n := a.uvarint(uint64(len(*x)), most)
	if !a.reads() {
		a.put(*x)
		return
	}
	*x = bytes.Clone(a.take(n))
	if n == 0 {
		*x = nil
	}
}

//go:noinline
func (a *archive) text(x *string, most uint64) {
	n := a.uvarint(uint64(len(*x)), most)
	if !a.reads() {
		a.put([]byte(*x))
		return
	}
	*x = string(a.take(n))
}

// fixed is as long as x is.
//
//go:noinline
func (a *archive) fixed(x []byte) {
	if !a.reads() {
		a.put(x)
		return
	}
	copy(x, a.take(uint64(len(x))))
}

// maxSpan bounds times and how far instants lie from the present: 36 years.
const maxSpan = 1 << 60

//go:noinline
func (a *archive) span(x *time.Duration, most time.Duration) {
	*x = time.Duration(a.uvarint(uint64(max(0, min(*x, most))), uint64(most)))
}

// instant is kept as its distance from the present, so that another process,
// whose time begins elsewhere, reads its own. 0, which is none, remains 0.
//
//go:noinline
func (a *archive) instant(x *time.Duration) {
	var distance uint64
	if !a.reads() && *x != 0 {
		distance = zigzag(max(-maxSpan, min(*x-a.base, maxSpan))) + 1
	}
	distance = a.uvarint(distance, 2*maxSpan+1)
	if !a.reads() {
		return
	}
	if *x = 0; distance == 0 {
		return
	}
	if *x = a.base + unzigzag(distance-1); *x == 0 {
		*x = 1
	}
}

func (a *archive) instants(x, y, z *time.Duration) {
	a.instant(x)
	a.instant(y)
	a.instant(z)
}

// zigzag keeps small negative numbers short.
func zigzag(d time.Duration) uint64   { return uint64(d<<1) ^ uint64(d>>63) }
func unzigzag(u uint64) time.Duration { return time.Duration(u>>1) ^ -time.Duration(u&1) }

//go:noinline
func (a *archive) addr(x *netip.Addr) {
	b := x.AsSlice()
	n := a.uvarint(uint64(len(b)), 16)
	if !a.reads() {
		a.put(b)
		return
	}
	addr, ok := netip.AddrFromSlice(a.take(n))
	if ok != (n > 0) {
		a.fail("an address has an odd length")
		return
	}
	*x = addr.Unmap()
}

// peer is an address that must be there.
//
//go:noinline
func (a *archive) peer(x *netip.Addr) {
	if a.addr(x); !x.IsValid() {
		a.fail("a peer has no address")
	}
}

//go:noinline
func (a *archive) addrPort(x *netip.AddrPort) {
	ip, port := x.Addr(), x.Port()
	a.addr(&ip)
	a.u16(&port, 1<<16-1)
	if *x = (netip.AddrPort{}); ip.IsValid() {
		*x = netip.AddrPortFrom(ip, port)
	}
}

// list is how long a list is: not longer than most, or than what is left to be
// read, for an entry has a byte at least.
//
//go:noinline
func (a *archive) list(n int, most uint64) int {
	if n = a.count(n, most); a.reads() && n > len(a.bytes) {
		a.fail("a list is longer than the snapshot")
		return 0
	}
	return n
}
