package main

import (
	"encoding/json"
	"net/netip"
	"time"
)

// spec is one cell of the measurement: what one contestant's process does with
// one far side's. Both get it, as JSON.
type spec struct {
	Who     string        // a contestant: see contestants
	Work    work          // what it does
	Writers int           // goroutines that write
	Gap     time.Duration // between two writes
	Sizes   []int         // of the payloads of a batch
	Warm    time.Duration // before the measurement
	Measure time.Duration
	Window  uint64 // packets under way, at most

	Coalesce bool          // the far side's socket reads with GRO
	Nap      time.Duration // of the far side, between what it reads; 0 = none
	Rate     int           // packets a second that the far side generates
	Burst    int           // how many of them at once
	Offload  bool          // each burst is one GSO send, else a sendmmsg
	Peer     bool          // the far side is no server but the peer behind one

	Server, To netip.AddrPort // the server and the peer

	Profile string // a file for the client's CPU profile

	File    string // a module to be compiled
	Idling  idling // a figure about this many clients at rest
	Clients int
}

// work is what a client process does while it is measured.
type work string

const (
	workRuns     work = "runs"     // batches of equal payloads through the batch API
	workMixed    work = "mixed"    // batches of unlike payloads through the batch API
	workWrite    work = "write"    // plain writes
	workBatches  work = "batches"  // receiving through the batch API
	workRead     work = "read"     // receiving with plain reads
	workPingPong work = "pingpong" // one packet there and back, and the next
)

func (s *spec) receives() bool { return s.Work == workBatches || s.Work == workRead }

func (s *spec) encode() string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // nothing in it can fail
	}
	return string(b)
}

// told is what a client process says of its measurement.
type told struct {
	Packets uint64        // in the measured window
	Total   uint64        // with those before and after it
	Bad     uint64        // received, and not what was sent
	CPU     time.Duration // user and system, of the process, in the window
	Wall    time.Duration
	Mallocs uint64        // heap objects that the process made in the window
	Waits   int           // times that the window of packets under way was full
	Stalls  int           // of them, those that the far side did not end in time: what it waited for is lost
	Spun    time.Duration // CPU in the gaps between writes, which CPU leaves out
	Trips   *trips        `json:",omitempty"`
}

// heard is what the far side says.
type heard struct {
	Valid, Bad, Twice uint64
	Indications       uint64 // payloads in Send indications
	Sent              uint64 // generated
	Late              uint64 // bursts that left later than the next was due
}
