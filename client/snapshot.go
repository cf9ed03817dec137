package client

import (
	"io"
	"slices"
	"time"
)

// A snapshot begins with this, and a version: others are refused.
const (
	snapshotMagic   = "TURNsnap"
	snapshotVersion = 1

	maxSnapshot = 512 << 10 // in bytes
	// maxSnapshotPayloads bounds the payloads that wait for a permission and go
	// with it, in bytes; the others are lost, as datagrams are.
	maxSnapshotPayloads = 32 << 10
	maxStoredPayloads   = 1024
	maxStoredRequests   = maxPermissions + maxChannels + maxRequests
	maxStoredPeers      = 256 // of one CreatePermission
)

// Snapshot appends all that the client knows of its allocation to buf: with
// Restore another client, in another process, goes on from it. It changes no
// state. There is one in PhaseAllocated alone, and not during a move, nor before
// the effects of the last call are drained: ErrSnapshot. On a stream there is
// none, because the allocation ends with it; nor over DTLS, whose keys only one
// process has.
//
// Requests in flight are in it, with their deadlines: they are sent again, and
// end, when they would have. Instants are kept as their distance from now.
//
// It holds the password, keys and the nonce: whoever stores it seals it, so that
// nobody reads or changes it. From Snapshot on one client only may go on, the
// other is Freed without a Close: of two that share a 5-tuple neither knows what
// the other has bound, and the Close of one releases both's allocation.
func (c *Client) Snapshot(now time.Duration, buf []byte) ([]byte, error) {
	size, err := c.SnapshotSize(now)
	if err != nil {
		return buf, err
	}
	return c.archived(now, writing, slices.Grow(buf, size)).bytes, nil
}

// SnapshotSize is how many bytes Snapshot appends at that instant, or its error.
func (c *Client) SnapshotSize(now time.Duration) (int, error) {
	if why := c.unsnappable(); why != "" {
		return 0, &detailed{ErrSnapshot, why}
	}
	size := c.archived(now, counting, nil).size
	if size > maxSnapshot {
		return 0, ErrTooLarge
	}
	return size, nil
}

func (c *Client) archived(now time.Duration, mode archiveMode, buf []byte) *archive {
	a := &archive{mode: mode, base: max(now, c.now), bytes: buf}
	c.archive(a)
	return a
}

func (c *Client) unsnappable() string {
	switch {
	case c.phase != PhaseAllocated:
		return "there is no allocation"
	case c.Stream():
		return "the allocation ends with its stream"
	case c.cfg.secured:
		return "nobody else has the keys of its DTLS session"
	case c.moving():
		return "the allocation is being moved"
	case c.hasFirst || len(c.transmits) > 0 || len(c.events) > 0 || c.departing || c.received.waiting:
		return "there are effects to drain"
	}
	return ""
}

// Restore makes the client of a snapshot, on the flow that Flow names, which the
// caller has opened: from the local transport address of before. elapsed is how
// long ago the snapshot was taken. What has become due meanwhile is done: drain.
//
// The bytes may be anybody's: whatever they are it answers a client or
// ErrSnapshot. But who wrote them chooses whom it talks to, so the caller
// verifies before.
func Restore(now, elapsed time.Duration, snapshot []byte, rand io.Reader) (*Client, error) {
	c := new(Client)
	if err := c.Restore(now, elapsed, snapshot, rand); err != nil {
		return nil, err
	}
	return c, nil
}

// Restore makes c the client of a snapshot; it is package client's Restore for
// clients that live by value.
func (c *Client) Restore(now, elapsed time.Duration, snapshot []byte, rand io.Reader) error {
	if rand == nil || len(snapshot) > maxSnapshot {
		return &detailed{ErrSnapshot, "Rand is missing, or it is too long"}
	}
	c.Free()
	c.stats = Stats{}
	c.cfg.rand, c.phase, c.stale, c.alloc = rand, PhaseAllocated, true, new(allocation)
	now = c.at(now)
	a := archive{mode: reading, base: now - max(0, min(elapsed, maxSpan)), bytes: snapshot}
	c.archive(&a)
	if a.fault == "" && len(a.bytes) > 0 {
		a.fail("something follows it")
	}
	if a.fault == "" {
		a.fault = c.implausible()
	}
	if a.fault != "" {
		for _, cr := range a.credentials {
			cr.wipe()
		}
		c.Free()
		return &detailed{ErrSnapshot, a.fault}
	}
	c.indexPermissions()
	c.indexChannels()
	c.HandleTimeout(now)
	return nil
}

// Flow is the flow on which the client talks to the server.
func (c *Client) Flow() Flow { return c.flow }

// archive is what a snapshot is made of.
func (c *Client) archive(a *archive) {
	magic := []byte(snapshotMagic)
	a.fixed(magic)
	if version := a.uvarint(snapshotVersion, 1<<64-1); string(magic) != snapshotMagic || version != snapshotVersion {
		a.fail("it is none, or of another version")
		return
	}
	c.cfg.archive(a)
	c.auth.archive(a)
	for _, n := range c.stats.counters() {
		a.u64(n)
	}
	a.u32(&c.trip.smoothed, 1<<32-1)
	a.u32(&c.trip.variation, 1<<32-1)
	c.lease.archive(a)
	c.alloc.archive(a)
	a.instant(&c.reusableAt)
	c.archiveMobility(a)
	c.archiveTables(a)
	c.archiveRequests(a)
	a.verdictIfAny(&c.expired)
	a.fixed(c.partingID[:])
	a.u32((*uint32)(&c.flow), 1<<32-1)
	a.u32((*uint32)(&c.nextFlow), 1<<32-1)
	a.u8(&c.ports, maxPorts)
	a.flags(&c.reclaimed, &c.familyRefused, &c.immobile)
}
