package host

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// Snapshot answers all that another process needs to go on with the allocation
// when this one is gone (Runtime.Restore), sealed with the key: it holds the
// password. The key has SnapshotKeySize bytes and is the caller's to keep. There
// is one of UDP alone, and of at most 128 KiB: about 2000 channels.
//
// The Conn goes on. A snapshot knows nothing of what is bound and permitted, or
// which password is set, after it: take another one then. And it is good only
// when this process does not go on: of two Conns on one allocation neither knows
// of the other's channels, and the Close of one releases both's. HandOver is for
// a process that still can.
func (c *Conn) Snapshot(key []byte) ([]byte, error) { return c.save(key, func() {}) }

// HandOver is Snapshot, and the end of this Conn without a release: the verdict
// of its close is client.HandedOver, and Close answers nil. Whoever Restores it
// can have the local port then. What was written and is not sent is lost.
func (c *Conn) HandOver(key []byte) ([]byte, error) {
	sealed, err := c.save(key, func() {
		verdict := Closed{Outcome: client.HandedOver, Until: c.heldUntil()}
		c.end(verdict)
		event := verdict.event()
		c.events.put(event)
		c.log(event)
	})
	if err == nil {
		<-c.done
	}
	return sealed, err
}

// save takes the snapshot, and does then under the same lock.
func (c *Conn) save(key []byte, then func()) ([]byte, error) {
	if _, err := sealer(key); err != nil {
		return nil, err
	}
	if c.settings.via != overUDP {
		return nil, c.opError("snapshot", c.server, fmt.Errorf("%w: the allocation ends with this process's session", ErrSnapshot))
	}
	room := c.driver.out.take()
	if room == nil {
		return nil, net.ErrClosed
	}
	defer c.driver.out.give(room)
	var s *saved
	err := c.driver.do(func() (err error) {
		if c.stage >= stageShut {
			return c.closedError()
		}
		if s, err = c.savedLocked(room); err == nil {
			then()
		}
		return err
	})
	if err != nil {
		return nil, c.opError("snapshot", c.server, err)
	}
	return s.seal(key)
}

func (c *Conn) savedLocked(room *slot) (*saved, error) {
	d := c.driver
	n, err := d.answer(d.eng.snapshot(d.clock.now(), c.handle, int32(room.at), int32(len(room.data))))
	if err != nil {
		return nil, d.detailed(err)
	}
	written := room.data[:min(n, len(room.data))]
	defer clear(written)
	return &saved{
		Taken: time.Now(), Server: c.server, Local: c.Local(), Asked: c.settings.LocalAddr,
		Permitted: slices.Collect(maps.Keys(c.peers.permitted)), Channels: maps.Clone(c.peers.channels),
		Machine: bytes.Clone(written),
	}, nil
}
