package client_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/client/turntest"
)

// FuzzDataConnection gives a client that waits for the answer to a ConnectionBind
// bytes of the fuzzer's, whole and in parts: the same comes of both, the control
// connection does not notice, and the client keeps within its bounds.
func FuzzDataConnection(f *testing.F) {
	f.Add([]byte("Spayload"), byte(1))
	f.Add([]byte("S"), byte(7))
	f.Add([]byte("ESpayload"), byte(3))
	f.Add([]byte("EEEEE"), byte(3))
	f.Add([]byte{0x40, 0, 0, 4, 1, 2, 3, 4}, byte(2))
	f.Add([]byte{1, 0x0b, 0xff, 0xfc, 0x21, 0x12, 0xa4, 0x42}, byte(3))
	f.Fuzz(func(t *testing.T, in []byte, chunk byte) {
		whole, parts := bindingRig(t), bindingRig(t)
		in = answers(in, whole.last.ID)
		a := tellOf(whole, in, max(1, len(in)))
		b := tellOf(parts, in, 1+int(chunk))
		if !reflect.DeepEqual(a, b) {
			t.Errorf("whole\n%v\nin parts of %d\n%v", a, 1+int(chunk), b)
		}
		for _, r := range []*rig{whole, parts} {
			if r.Phase() != client.PhaseAllocated {
				t.Errorf("the phase is %v", r.Phase())
			}
			if held := turntest.Footprint(r.Client); held > 16<<10 {
				t.Errorf("it holds %d bytes", held)
			}
			r.advance(time.Minute)
		}
	})
}

// bindingRig waits for the answer to a ConnectionBind on flow 1.
func bindingRig(t *testing.T) *rig {
	t.Helper()
	r := relayRig(t)
	if err := r.connect(rigPeer); err != nil {
		t.Fatal(err)
	}
	r.answerOn(0, connectionID(7))
	r.must(func(now time.Duration) error {
		r.FlowOpened(now, 1)
		return nil
	})
	return r
}

// answers has S at the beginning stand for a success, E for a stale nonce.
func answers(in []byte, id turntest.TransactionID) (out []byte) {
	for ; len(in) > 0 && (in[0] == 'S' || in[0] == 'E'); in = in[1:] {
		if in[0] == 'S' {
			success := turntest.Build(turntest.MethodConnectionBind, turntest.Success, id).Integrity(rigKey).Datagram()
			return append(append(out, success...), in[1:]...)
		}
		out = append(out, turntest.Build(turntest.MethodConnectionBind, turntest.Failure, id).Error(438, "").
			Text(turntest.AttrRealm, "example.org").Text(turntest.AttrNonce, "n2").Datagram()...)
	}
	return append(out, in...)
}

// tellOf hands the bytes in, so many at a time, and answers what came of it,
// payload as one.
func tellOf(r *rig, in []byte, chunk int) (out []string) {
	var payload []byte
	for len(in) > 0 {
		n := min(chunk, len(in))
		for part := in[:n]; len(part) > 0; {
			took := r.HandleStream(r.now, 1, part)
			if took <= 0 || took > len(part) {
				r.t.Fatalf("it takes %d of %d bytes", took, len(part))
			}
			part = part[took:]
			r.drain()
			for _, b := range r.sent {
				out = append(out, turntest.Describe(b, rigKey))
			}
			for _, e := range r.told {
				payload = append(payload, e.Data...)
				if e.Kind != client.DataReceived {
					out = append(out, fmt.Sprintf("%+v", e))
				}
			}
		}
		in = in[n:]
	}
	return append(out, string(payload))
}
