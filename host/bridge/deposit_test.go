package bridge

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"
)

// attr is an attribute that Build can add.
func attr(t stun.AttrType, value ...byte) stun.Setter {
	return stun.RawAttribute{Type: t, Value: value}
}

var (
	refresh = stun.NewType(stun.MethodRefresh, stun.ClassRequest)
	noTime  = attr(stun.AttrLifetime, 0, 0, 0, 0)
)

func built(setters ...stun.Setter) []byte {
	return stun.MustBuild(append([]stun.Setter{stun.TransactionID}, setters...)...).Raw
}

func goodParting() []byte {
	return built(refresh, noTime, stun.NewUsername("user"), stun.NewRealm("realm"), stun.NewNonce("nonce"),
		stun.NewLongTermIntegrity("user", "realm", "pass"))
}

func depositOf(ms uint32, data []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, ms), data...)
}

func TestWhatIsADeposit(t *testing.T) {
	good := goodParting()
	for name, data := range map[string][]byte{
		"signed": good, "unsigned": built(refresh, noTime), "with a fingerprint": built(refresh, noTime, stun.Fingerprint),
	} {
		var d deposit
		if err := d.put(depositOf(1000, data), time.Now()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p := d.take(); p == nil || !bytes.Equal(p.data, data) || !bytes.Equal(p.id[:], data[8:20]) {
			t.Errorf("%s: kept %+v", name, p)
		}
		if d.take() != nil {
			t.Errorf("%s: taken twice", name)
		}
	}
	long := attr(stun.AttrSoftware, make([]byte, MaxDeposit)...)
	for want, data := range map[string][]byte{
		"begins with its time":    nil,
		"is a STUN message":       []byte("hello"),
		"at most 2048":            built(refresh, noTime, long),
		"a Refresh request":       built(stun.NewType(stun.MethodAllocate, stun.ClassRequest), noTime),
		"LIFETIME is 0":           built(refresh, attr(stun.AttrLifetime, 0, 0, 2, 88)),
		"one LIFETIME":            built(refresh),
		"one LIFETIME, 0":         built(refresh, noTime, noTime),
		"ends with its STUN":      append(bytes.Clone(good), 0, 0, 0, 0),
		"Refresh request":         built(stun.NewType(stun.MethodRefresh, stun.ClassIndication), noTime),
		"deposit's LIFETIME is":   built(refresh, attr(stun.AttrLifetime, 0)),
		"deposit is a STUN":       bytes.Replace(good, []byte{0x21, 0x12, 0xa4, 0x42}, []byte{0, 0, 0, 0}, 1),
		"is a Refresh":            built(stun.NewType(stun.MethodSend, stun.ClassIndication), noTime),
		"deposit's LIFETIME is 0": built(refresh, noTime, attr(stun.AttrLifetime, 0, 0, 0, 1)),
	} {
		value := depositOf(1000, data)
		if data == nil {
			value = []byte{1, 2, 3}
		}
		var d deposit
		if err := d.put(depositOf(1000, good), time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := d.put(value, time.Now()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want one with %q", err, want)
		}
		if p := d.take(); p == nil || !bytes.Equal(p.data, good) {
			t.Errorf("%s: the deposit before is gone", want)
		}
	}
}

func TestTheNewestDepositCounts(t *testing.T) {
	var d deposit
	now := time.Now()
	first, second := goodParting(), goodParting()
	for _, data := range [][]byte{first, second} {
		if err := d.put(depositOf(1000, data), now); err != nil {
			t.Fatal(err)
		}
	}
	if p := d.take(); !bytes.Equal(p.data, second) || p.until != now.Add(time.Second) {
		t.Errorf("took %+v", p)
	}
	for _, value := range [][]byte{depositOf(1<<32-1, first), {}} {
		if err := d.put(value, now); err != nil {
			t.Fatal(err)
		}
		if d.newest != nil && d.newest.until != now.Add(longestDeposit) {
			t.Errorf("it is good until %v", d.newest.until)
		}
	}
	if d.take() != nil {
		t.Error("a withdrawn deposit is still there")
	}
}

func TestAnswersToAParting(t *testing.T) {
	p, err := parseDeposit(depositOf(1000, goodParting()), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	id := stun.NewTransactionIDSetter(p.id)
	success := stun.NewType(stun.MethodRefresh, stun.ClassSuccessResponse)
	failure := stun.NewType(stun.MethodRefresh, stun.ClassErrorResponse)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"success":         {built(id, success), "released"},
		"437":             {built(id, failure, stun.CodeAllocMismatch), "gone"},
		"438":             {built(id, failure, stun.CodeStaleNonce), "refused"},
		"no code":         {built(id, failure), "refused"},
		"another ID":      {built(success), ""},
		"the request":     {p.data, ""},
		"another method":  {built(id, stun.NewType(stun.MethodAllocate, stun.ClassSuccessResponse)), ""},
		"ChannelData":     {channelData(30), ""},
		"nothing":         {nil, ""},
		"a bit of itself": {p.data[:19], ""},
	} {
		if got := p.answeredBy(c.data); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// FuzzDeposit: what is kept is a Refresh with LIFETIME 0, by a reader of its own.
func FuzzDeposit(f *testing.F) {
	f.Add(depositOf(1000, goodParting()))
	f.Add(depositOf(0, built(refresh, noTime)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, value []byte) {
		var d deposit
		if d.put(value, time.Now()) != nil {
			if d.newest != nil {
				t.Fatal("an error, and something kept")
			}
			return
		}
		p := d.take()
		if (p == nil) != (len(value) == 0) {
			t.Fatalf("kept %v of %d bytes", p, len(value))
		}
		if p == nil {
			return
		}
		if !bytes.Equal(p.data, value[4:]) || len(p.data) > MaxDeposit || binary.BigEndian.Uint16(p.data) != 0x0004 {
			t.Fatalf("kept %x", p.data)
		}
		if !bytes.Contains(p.data, []byte{0, 0x0d, 0, 4, 0, 0, 0, 0}) {
			t.Fatalf("kept %x, which has no LIFETIME 0", p.data)
		}
	})
}

// FuzzFrames: readers of frames take no more than they may, and end.
func FuzzFrames(f *testing.F) {
	f.Add(controlFrame(frameDeposit, depositOf(1, goodParting())))
	f.Add(packetFrame(channelData(40)))
	f.Add([]byte{1, 255, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, buf := bytes.NewReader(data), make([]byte, maxControl)
		for {
			_, value, err := readControl(r, buf)
			if err != nil {
				break
			}
			if len(value) > maxControl {
				t.Fatalf("a frame of %d bytes", len(value))
			}
		}
		r = bytes.NewReader(data)
		var packet []byte
		for err := error(nil); err == nil; {
			if packet, err = readPacket(r, packet); err == nil {
				isTURN(packet)
			}
		}
	})
}
