package host

import (
	"fmt"
	"net/netip"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// parcel is a payload in a slot, or a run of equal ones, on its way out.
type parcel struct {
	message int // which one of the caller's it begins with
	peer    netip.AddrPort
	at      uint32 // from the region's start
	length  uint32 // of each
	count   uint32
	stride  uint32
}

// part is a datagram in a slot, or a coalesced run of them, on its way in.
type part struct {
	at, length uint32 // from the region's start
	segment    uint32 // bytes of each of a run; 0: it is one
}

// arrival is a payload in a slot, or a run of equal ones, on its way in.
type arrival struct {
	peer   netip.AddrPort
	data   []byte // from the first one's first byte to the last one's last
	length int    // of each
	count  int
	stride int
	owned  *[]byte // what data lies in, from blocks; nil: the slot, or not for long
}

// payload is number i.
func (a *arrival) payload(i int) []byte {
	at := i * a.stride
	return a.data[at : at+a.length]
}

// input hands what the socket has put into the slot to the machine, and takes
// the answers: payloads are the slot's arrivals then.
func (d *driver) input(c *Conn, flow client.Flow, s *slot) {
	for i, p := range s.parts {
		desc := abi.Desc{
			Client: c.handle, Kind: abi.KindInput, Flow: uint32(flow), Count: 1,
			Offset: p.at, Length: p.length, Stride: p.segment,
		}
		desc.Store(d.layout.In.At(d.region, i))
	}
	d.slotIn, s.of = s, c
	// That a datagram is ignored is counted by the machine.
	_, _ = d.batch(abi.KindInput, len(s.parts), d.clock.now(), nil)
	d.slotIn, s.of = nil, nil
}

// send hands what was loaded into the slot to the machine and takes the
// datagrams. Its error is that of the parcel that failed first, which it answers
// too; those behind it may have been sent.
func (d *driver) send(c *Conn, s *slot, now float64) (failed int, err error) {
	for i := range s.parcels {
		d.describe(c, i, &s.parcels[i])
	}
	d.slotOut = s
	failed, err = d.batch(abi.KindSend, len(s.parcels), now, c.out.keep)
	d.slotOut = nil
	return failed, err
}

// batch runs n in-descriptors through the machine and takes its answers. When
// the out-descriptors are full the rest follows, one by one, and pause is
// called in between. It answers the first that failed, and why.
func (d *driver) batch(kind abi.Kind, n int, now float64, pause func()) (failed int, err error) {
	failed = n
	done, next := 0, n
	for range maxRounds {
		outs, e := d.call(kind, now, next)
		if e != nil {
			return min(done, failed), e
		}
		d.take(outs)
		used := min(d.head().Consumed(), next)
		if i, e := d.status(used); e != nil && err == nil {
			failed, err = done+i, e
		}
		if done += used; d.dead != nil || done == n {
			return failed, err
		}
		d.moveUp(used, n-done)
		if next = 1; pause != nil {
			pause()
		}
	}
	d.die("trapped", fmt.Errorf("it does not get through a batch in %d rounds", maxRounds))
	return min(done, failed), d.dead
}

func (d *driver) call(kind abi.Kind, now float64, n int) (int, error) {
	if kind == abi.KindSend {
		return d.answer(d.eng.send(now, int32(n)))
	}
	return d.answer(d.eng.input(now, int32(n)))
}

// describe writes the in-descriptor i.
func (d *driver) describe(c *Conn, i int, l *parcel) {
	desc := abi.Desc{
		Client: c.handle, Kind: abi.KindSend, Peer: c.numbers.of(c, l.peer),
		Offset: l.at, Length: l.length, Count: l.count, Stride: l.stride,
	}
	if desc.Peer == 0 {
		desc.Addr = l.peer
	}
	desc.Store(d.layout.In.At(d.region, i))
}

// status is the first error among the first n in-descriptors.
func (d *driver) status(n int) (int, error) {
	for i := range n {
		if code := d.layout.In.At(d.region, i).Status(); code != abi.CodeOK {
			return i, code.Err()
		}
	}
	return n, nil
}

// moveUp moves the descriptors that are left behind the first used ones to the
// front. The first of them may describe a part of what it did.
func (d *driver) moveUp(used, left int) {
	for i := range left {
		copy(d.layout.In.At(d.region, i), d.layout.In.At(d.region, used+i))
	}
}

// take reads the first n out-descriptors.
func (d *driver) take(n int) {
	if n > int(d.layout.Out.Count) {
		d.die("trapped", fmt.Errorf("it answers %d descriptors", n))
		return
	}
	var c *Conn
	for i := range n {
		v := d.layout.Out.At(d.region, i)
		if c == nil || c.handle != v.Client() {
			c = d.conns[v.Client()]
		}
		if c == nil {
			continue
		}
		if !d.takeOne(c, v) {
			d.die("trapped", fmt.Errorf("descriptor of kind %d reaches outside of the region", v.Kind()))
			return
		}
		if d.dead != nil {
			return
		}
	}
}

// takeOne is false when the descriptor is no good.
func (d *driver) takeOne(c *Conn, v abi.View) bool {
	at, length, stride := uint64(v.Offset()), uint64(v.Length()), uint64(v.Stride())
	count := max(1, uint64(v.Count()))
	if count == 1 {
		stride = length
	}
	span := (count-1)*stride + length
	if count > maxRounds || at+span > uint64(len(d.region)) || stride < length {
		return false
	}
	switch kind := v.Kind(); {
	case kind == abi.KindData:
		c.takeData(v, at, span, int(length), int(count), int(stride))
	case kind == abi.KindTransmit && d.slotOut.holds(at, span):
		c.takeLoaded(v, d.region[at:at+span], int(length), int(count), int(stride))
	default:
		d.touch(c)
		for range count {
			c.take(v, d.region[at:at+length:at+length])
			at += stride
		}
	}
	return true
}

// take is a packet of a descriptor that is no payload. data is good during the
// call.
func (c *Conn) take(v abi.View, data []byte) {
	switch v.Kind() {
	case abi.KindTransmit:
		if t := c.flowOf(client.Flow(v.Flow())); t != nil {
			c.out.copy(t, data)
		} else if l := c.relay.linkOf(client.Flow(v.Flow())); l != nil {
			l.send(data)
		}
	case abi.KindParting:
		c.parting.keep(v, data)
	case abi.KindEvent:
		e, err := abi.ParseEvent(data)
		if err != nil {
			c.driver.die("trapped", err)
			return
		}
		c.happened(e)
	}
}

// takeLoaded puts datagrams into the outbox that lie in the slot of their
// sender, who holds the turn.
func (c *Conn) takeLoaded(v abi.View, data []byte, length, count, stride int) {
	t := c.flowOf(client.Flow(v.Flow()))
	switch {
	case t == nil:
	case count == 1:
		c.out.put(outgoing{through: t, data: data})
	case stride == length:
		c.out.put(outgoing{through: t, data: data, segment: length})
	default:
		for i := range count {
			c.out.put(outgoing{through: t, data: data[i*stride : i*stride+length]})
		}
	}
}

// takeData leaves payloads that lie in the slot of the reader to it, and puts
// others into the inbox: control-out is written again by the next call. A copy
// of what came in parts, on a stream, waits with the reader's: it is first.
func (c *Conn) takeData(v abi.View, at, span uint64, length, count, stride int) {
	d := c.driver
	if l := c.relay.linkOf(client.Flow(v.Flow())); l != nil {
		l.early = append(l.early, d.region[at:at+span]...)
		return
	}
	a := arrival{v.Addr(), d.region[at : at+span : at+span], length, count, stride, nil}
	s := d.slotIn
	switch {
	case s.holds(at, span):
	case s != nil && s.of == c:
		a.owned = blocks.copy(a.data)
		a.data = *a.owned
	default:
		c.in.keep(&a, 0)
		return
	}
	s.arrivals = append(s.arrivals, a)
}
