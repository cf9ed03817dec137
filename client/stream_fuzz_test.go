package client_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

// streamRig is a client of a stream, in a phase; with a channel where that is
// allocated.
func streamRig(t *testing.T, p client.Phase) *rig {
	r := newRig(t, func(cfg *client.Config) { cfg.Transport = client.TransportStream }).reach(p)
	if p == client.PhaseAllocated {
		r.bind(rigPeer)
		r.must(r.Refresh) // something to be answered
	}
	return r
}

// heard is all that comes of a stream.
type heard struct {
	sent  [][]byte
	told  []client.Event
	stats client.Stats
	state string
}

// hear hands the bytes in, n at a time.
func (r *rig) hear(data []byte, n int) (h heard) {
	for at := 0; at < len(data); {
		r.must(func(now time.Duration) error {
			took := r.HandleStream(now, 0, data[at:min(at+n, len(data))])
			if took < 1 || took > min(n, len(data)-at) {
				r.t.Fatalf("of %d bytes %d are taken", min(n, len(data)-at), took)
			}
			at += took
			return nil
		})
		for _, e := range r.told {
			e.Data = bytes.Clone(e.Data)
			h.told = append(h.told, e)
		}
		h.sent = append(h.sent, r.sent...)
	}
	wake, armed := r.PollTimeout()
	h.stats, h.state = r.Stats(), fmt.Sprint(r.Phase(), wake, armed, r.TimeoutReason())
	h.stats.IgnoredClosed, h.stats.IgnoredFlow = 0, 0 // they count calls: on a flow that is over there are no messages
	return h
}

// FuzzS01Stream: what comes of a stream does not depend on how it was cut, in
// any phase.
func FuzzS01Stream(f *testing.F) {
	for _, datagram := range captured(f) {
		for phase := range byte(6) {
			f.Add(phase, turntest.Framed(datagram), uint8(2))
		}
	}
	for number := uint16(0x4000); number < 0x4010; number++ {
		data := turntest.Framed(turntest.ChannelData(number, []byte("hello")))
		f.Add(byte(client.PhaseAllocated), append(data, data...), uint8(4))
	}
	f.Fuzz(func(t *testing.T, phase byte, data []byte, n uint8) {
		p := client.Phase(phase % 6)
		whole := streamRig(t, p).hear(data, len(data)+1)
		for _, size := range []int{1, int(n) + 1} {
			parts := streamRig(t, p).hear(data, size)
			if !reflect.DeepEqual(whole, parts) {
				t.Fatalf("%d bytes at a time: %+v\nwhole: %+v", size, parts, whole)
			}
		}
	})
}

// The same with what the server means for this client: its answers, and payloads
// on its channel and without.
func TestS01WholeAsByteByByte(t *testing.T) {
	stream := func(r *rig) []byte {
		number := r.channel
		b := turntest.Framed(turntest.ChannelData(number, []byte("hello")))
		b = append(b, turntest.Build(turntest.MethodData, turntest.Indication, turntest.TransactionID{1}).
			Address(turntest.AttrXORPeerAddress, rigPeer).Bytes(turntest.AttrData, []byte("without")).Datagram()...)
		b = append(b, turntest.Build(r.last.Method, turntest.Success, r.last.ID).Lifetime(time.Minute).Integrity(rigKey).Datagram()...)
		return append(b, turntest.Framed(turntest.ChannelData(number, nil))...)
	}
	r := streamRig(t, client.PhaseAllocated)
	whole := r.hear(stream(r), 1<<16)
	payloads := 0
	for _, e := range whole.told {
		if e.Kind == client.DataReceived {
			payloads++
		}
	}
	if payloads != 3 {
		t.Fatalf("%d payloads, want 3: %+v", payloads, whole.told)
	}
	for size := 1; size < 120; size++ {
		r := streamRig(t, client.PhaseAllocated)
		if parts := r.hear(stream(r), size); !reflect.DeepEqual(whole, parts) {
			t.Errorf("%d bytes at a time: %+v\nwhole: %+v", size, parts, whole)
		}
	}
}
