package host

import (
	"fmt"
	"net/netip"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// The arena holds one datagram on its way in and one payload on its way out:
// each call carries one. Batches will cut it into slots.
const (
	arenaInput = 0
	arenaSend  = 128 << 10
	arenaUsed  = arenaSend + abi.Headroom + maxDatagram + abi.Tailroom
)

// input hands a datagram to the machine and takes the answers.
func (d *driver) input(c *Conn, flow client.Flow, data []byte) error {
	desc := abi.Desc{
		Client: c.handle, Kind: abi.KindInput, Flow: uint32(flow), Count: 1,
		Offset: d.layout.Arena.Offset + arenaInput, Length: uint32(len(data)),
	}
	copy(d.region[desc.Offset:], data)
	return d.batch(&desc)
}

// send hands a payload to the machine and takes the datagram. More than fits a
// datagram is client.ErrTooLarge.
func (d *driver) send(c *Conn, peer netip.AddrPort, data []byte) error {
	if len(data) > maxDatagram {
		return client.ErrTooLarge
	}
	desc := abi.Desc{
		Client: c.handle, Kind: abi.KindSend, Addr: peer, Count: 1, Stride: uint32(len(data)),
		Offset: d.layout.Arena.Offset + arenaSend + abi.Headroom, Length: uint32(len(data)),
	}
	copy(d.region[desc.Offset:], data)
	return d.batch(&desc)
}

// batch is a call with one in-descriptor, repeated when the out-descriptors
// were full. The descriptor's status is its error.
func (d *driver) batch(desc *abi.Desc) error {
	v := d.layout.In.At(d.region, 0)
	desc.Store(v)
	for range maxRounds {
		n, err := d.call(desc.Kind)
		if err != nil {
			return err
		}
		d.take(n)
		if d.dead != nil || d.head().Consumed() > 0 {
			return v.Status().Err()
		}
	}
	return client.ErrLimit
}

func (d *driver) call(kind abi.Kind) (int, error) {
	if kind == abi.KindSend {
		return d.answer(d.eng.send(d.clock.now(), 1))
	}
	return d.answer(d.eng.input(d.clock.now(), 1))
}

// take reads the first n out-descriptors.
func (d *driver) take(n int) {
	if n > int(d.layout.Out.Count) {
		d.die("trapped", fmt.Errorf("it answers %d descriptors", n))
		return
	}
	for i := range n {
		v := d.layout.Out.At(d.region, i)
		c := d.conns[v.Client()]
		if c == nil {
			continue
		}
		d.touch(c)
		if !d.takeOne(c, v) {
			d.die("trapped", fmt.Errorf("descriptor of kind %d reaches outside of the region", v.Kind()))
			return
		}
	}
}

// takeOne is false when the descriptor is no good.
func (d *driver) takeOne(c *Conn, v abi.View) bool {
	at, length, stride := uint64(v.Offset()), uint64(v.Length()), uint64(v.Stride())
	count := max(1, uint64(v.Count()))
	if count > maxRounds || at+(count-1)*stride+length > uint64(len(d.region)) {
		return false
	}
	for range count {
		c.take(v, d.region[at:at+length:at+length])
		at += stride
	}
	return true
}

// take is one packet of a descriptor. data is good during the call.
func (c *Conn) take(v abi.View, data []byte) {
	switch v.Kind() {
	case abi.KindTransmit:
		if t := c.flowOf(client.Flow(v.Flow())); t != nil {
			c.out.put(t, data)
		}
	case abi.KindData:
		c.in.put(v.Addr(), data)
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
