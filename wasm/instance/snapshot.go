package instance

import (
	"strconv"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// Snapshot is turn_snapshot.
func (in *Instance) Snapshot(now float64, h, offset, size int32) int32 {
	_, err := in.control(now, 0)
	part, partErr := in.arena(offset, size)
	if err == nil {
		err = partErr
	}
	slot, e := in.slots.lookup(h)
	switch {
	case err != nil:
	case e == nil:
		err = abi.ErrHandle
	default:
		err = in.guard(slot, func(c *client.Client) error { return in.snapshot(c, &part) })
	}
	if err != nil {
		return in.refuse(err)
	}
	in.end()
	return int32(len(part))
}

// snapshot writes to the part, which becomes as long as what was written. What
// does not fit is not written at all: it would lie elsewhere in memory.
func (in *Instance) snapshot(c *client.Client, part *[]byte) error {
	n, err := c.SnapshotSize(in.now)
	if err != nil {
		return err
	}
	if n > len(*part) {
		return client.ErrTooLarge
	}
	*part, err = c.Snapshot(in.now, (*part)[:0])
	return err
}

// arena is a part of it that a host names.
func (in *Instance) arena(offset, n int32) ([]byte, error) {
	if offset < 0 || n < 0 || !in.layout.Arena.Holds(uint32(offset), uint32(n)) {
		return nil, abi.Detail(abi.ErrArgument, strconv.Itoa(int(n))+" bytes at "+strconv.Itoa(int(offset))+" are not in the arena")
	}
	return in.region[offset : offset+n : offset+n], nil
}

// Restore is turn_restore.
func (in *Instance) Restore(now, elapsed float64, offset, n int32) int32 {
	_, err := in.control(now, 0)
	part, partErr := in.arena(offset, n)
	defer clear(part) // the password lies there
	gone, ok := abi.Duration(elapsed)
	if err == nil && !ok {
		err = abi.Detail(abi.ErrArgument, "elapsed is "+float(elapsed))
	}
	if err == nil {
		err = partErr
	}
	if err != nil {
		return in.refuse(err)
	}
	slot, err := in.admit(clientCost + 8*len(part))
	if err != nil {
		return in.refuse(err)
	}
	err = in.guard(slot, func(c *client.Client) error { return c.Restore(in.now, gone, part, in.rand) })
	if err != nil {
		in.drop(slot)
		return in.refuse(err)
	}
	in.wake(slot)
	in.end()
	return in.slots.handle(slot)
}
