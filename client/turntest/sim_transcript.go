package turntest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// transcript takes everything that goes into and comes out of the clients: into
// a hash always, into words when somebody reads them.
type transcript struct {
	w    *world
	hash hash.Hash
	text io.Writer // nil = nobody reads
}

func newTranscript(w *world, text io.Writer) *transcript {
	return &transcript{w: w, hash: sha256.New(), text: text}
}

func (t *transcript) sum() (out [32]byte) {
	copy(out[:], t.hash.Sum(nil))
	return out
}

// record hashes one item: the instant, the client, what it is, its bytes.
func (t *transcript) record(a *actor, kind string, data []byte) {
	var head [16]byte
	binary.BigEndian.PutUint64(head[:], uint64(t.w.now))
	binary.BigEndian.PutUint32(head[8:], uint32(a.index))
	binary.BigEndian.PutUint32(head[12:], uint32(len(data)))
	t.hash.Write(head[:])
	io.WriteString(t.hash, kind)
	t.hash.Write(data)
}

// note writes a line that is for readers alone.
func (t *transcript) note(a *actor, line string) {
	if t.text != nil {
		fmt.Fprintf(t.text, "@%-12v %s %s\n", t.w.now, a.name, line)
	}
}

func (t *transcript) input(a *actor, p Packet) {
	t.record(a, "<-", p.Data)
	if t.text != nil {
		mark := ""
		if p.Forged {
			mark = " [forged]"
		}
		t.note(a, fmt.Sprintf("<- %s%s tx=%s", Describe(p.Data, a.keyFor(p.Data)), mark, shortID(p.Data)))
	}
}

func (t *transcript) transmit(a *actor, d client.Transmit) {
	t.record(a, "->", d.Data)
	if t.text != nil {
		t.note(a, fmt.Sprintf("-> flow %d: %s tx=%s", d.Flow, Describe(d.Data, a.keyFor(d.Data)), shortID(d.Data)))
	}
}

func (t *transcript) event(a *actor, e client.Event) {
	line := describeEvent(e)
	t.record(a, "event", []byte(line))
	t.record(a, "data", e.Data)
	t.note(a, line)
}

// describeEvent names the fields that are set.
func describeEvent(e client.Event) string {
	s := "event " + e.Kind.String()
	add := func(set bool, format string, args ...any) {
		if set {
			s += " " + fmt.Sprintf(format, args...)
		}
	}
	add(e.Outcome != 0, "%v", e.Outcome)
	add(e.Method != 0, "method=%v", Method(e.Method))
	add(e.Code != 0, "code=%d", e.Code)
	add(e.Signed, "signed")
	add(e.Reason != "", "reason=%q", e.Reason)
	add(e.ServerName != "", "server=%q", e.ServerName)
	add(e.Flow != 0, "flow=%d", e.Flow)
	add(e.Peer.IsValid(), "peer=%v", e.Peer)
	add(e.Channel != 0, "channel=0x%04x", e.Channel)
	add(e.ConnectionID != 0, "connection=%d", e.ConnectionID)
	add(e.Relayed.IsValid(), "relayed=%v", e.Relayed)
	add(e.Mapped.IsValid(), "mapped=%v", e.Mapped)
	add(e.Lifetime != 0, "lifetime=%v", e.Lifetime)
	add(e.RetryAfter != 0, "retryAfter=%v", e.RetryAfter)
	add(e.Additional.IsValid(), "additional=%v", e.Additional)
	add(e.Domain != "", "domain=%q", e.Domain)
	add(e.Family != 0, "family=%d", e.Family)
	add(e.ReservationToken != client.ReservationToken{}, "reservation=%x", e.ReservationToken)
	add(e.ReuseAfter != 0, "reuseAfter=%v", e.ReuseAfter)
	add(e.Until != 0, "until=%v", e.Until)
	add(e.ICMP != client.ICMP{}, "icmp=%d/%d", e.ICMP.Type, e.ICMP.Code)
	add(e.Data != nil, "%d bytes", len(e.Data))
	return s
}

// deadline records what the machine waits for.
func (t *transcript) deadline(a *actor, at time.Duration, ok bool) {
	var b [8]byte
	if ok {
		binary.BigEndian.PutUint64(b[:], uint64(at))
	}
	t.record(a, "wake", b[:])
	if t.text != nil && ok {
		t.note(a, fmt.Sprintf("   wake %v %s (%v)", at, a.m.TimeoutReason(), a.m.Phase()))
	}
}

func shortID(datagram []byte) string {
	if m, err := Decode(datagram); err == nil {
		return m.ID.String()[:8]
	}
	return "-"
}
