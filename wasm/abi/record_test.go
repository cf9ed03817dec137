package abi

import (
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

func TestRecordsComeBack(t *testing.T) {
	cfg, _, err := ParseConfig(AppendConfig(nil, &goldenConfig, nil))
	if err != nil || !reflect.DeepEqual(cfg, goldenConfig) {
		t.Errorf("config %+v, want %+v (%v)", cfg, goldenConfig, err)
	}
	cfg, _, err = ParseConfig(AppendConfig(nil, &optionConfig, nil))
	if err != nil || !reflect.DeepEqual(cfg, optionConfig) {
		t.Errorf("config %+v, want %+v (%v)", cfg, optionConfig, err)
	}
	var c Command
	if err := c.Parse(AppendCommand(nil, &goldenCommand)); err != nil || !reflect.DeepEqual(c, goldenCommand) {
		t.Errorf("command %+v, want %+v (%v)", c, goldenCommand, err)
	}
	for _, want := range append(optionEvents, goldenEvents...) {
		e, err := ParseEvent(AppendEvent(nil, &want))
		if err != nil || !reflect.DeepEqual(e, want) {
			t.Errorf("event %+v, want %+v (%v)", e, want, err)
		}
	}
	s, err := ParseState(AppendState(nil, &goldenState))
	if err != nil || s != goldenState {
		t.Errorf("state %+v, want %+v (%v)", s, goldenState, err)
	}
	stats := goldenStats()
	if got := ParseStats(AppendStats(nil, &stats)); got != stats {
		t.Errorf("stats %+v, want %+v", got, stats)
	}
	if peer, err := ParsePeer(AppendPeer(nil, ipv6)); err != nil || peer != ipv6 {
		t.Errorf("peer %v, %v", peer, err)
	}
}

func TestTransportCrosses(t *testing.T) {
	want := client.Config{Server: ipv4, Transport: client.TransportStream, Secured: true}
	got, _, err := ParseConfig(AppendConfig(nil, &want, nil))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("config %+v, want %+v (%v)", got, want, err)
	}
}

// A field that client gains and the codec forgets shows here.
func TestEveryFieldCrosses(t *testing.T) {
	for _, c := range []struct {
		name  string
		typ   reflect.Type
		known int
	}{
		{"Config, with Rand", reflect.TypeFor[client.Config](), 28},
		{"Event, with Data", reflect.TypeFor[client.Event](), 23},
		{"Stats", reflect.TypeFor[client.Stats](), len(counters(new(client.Stats)))},
	} {
		if got := c.typ.NumField(); got != c.known {
			t.Errorf("client.%s has %d fields, the codec knows %d", c.name, got, c.known)
		}
	}
}

func TestUnknownAttributesAreSkipped(t *testing.T) {
	r := Record{}
	r.Text(0x3ff, "of another version")
	r.U16(AttrEvent, 99)
	r.Bytes(0x8001, []byte{1})
	e, err := ParseEvent(r)
	if err != nil || e.Kind != 99 {
		t.Fatalf("%+v, %v", e, err)
	}
}

func TestFirstOfDuplicatesCounts(t *testing.T) {
	r := Record{}
	r.U16(AttrEvent, uint16(client.ChannelBound))
	r.Addr(AttrPeer, ipv4)
	r.Addr(AttrPeer, ipv6)
	e, err := ParseEvent(r)
	if err != nil || e.Peer != ipv4 {
		t.Fatalf("%+v, %v", e, err)
	}
}

func TestMalformedRecords(t *testing.T) {
	number := func(attr Attr, v ...byte) []byte {
		r := Record(AppendConfig(nil, &client.Config{Server: ipv4}, nil))
		r.Bytes(attr, v)
		return r
	}
	whole := AppendConfig(nil, &goldenConfig, nil)
	for name, rec := range map[string][]byte{
		"empty":               {},
		"no server":           number(AttrReclaim)[12:],
		"header cut":          whole[:2],
		"value cut":           whole[:len(whole)-1],
		"padding cut":         number(AttrUsername, 1, 2, 3)[:12+4+3],
		"u8 of two bytes":     number(AttrFamily, 1, 2),
		"time of 4 bytes":     number(AttrRTO, 1, 2, 3, 4),
		"time is NaN":         number(AttrRTO, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f),
		"time is negative":    number(AttrRTO, 0, 0, 0, 0, 0, 0, 0xf0, 0xbf),
		"count beyond an int": number(AttrRc, 0xff, 0xff, 0xff, 0xff),
		"flag with a value":   number(AttrReclaim, 1),
		"short seed":          number(AttrSeed, 1, 2, 3),
		"address of family 5": append(append(Record(nil), 0x10, 0, 8, 0, 5, 0, 1, 1), 1, 2, 3, 4),
		"IPv6 of 4 bytes":     append(append(Record(nil), 0x10, 0, 8, 0, 6, 0, 1, 1), 1, 2, 3, 4),
	} {
		if _, _, err := ParseConfig(rec); !errors.Is(err, ErrArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDeadlineIsNeverEarly(t *testing.T) {
	for at := time.Duration(1); at < 1<<60; at = at*5/3 + 1 {
		ms := DeadlineMS(at)
		back, ok := Duration(ms)
		if !ok || back < at || back > at+at>>50+1 {
			t.Fatalf("%d ns became %v ms, which is %d ns", at, ms, back)
		}
	}
}

func TestDurationRefusesWhatIsNoTime(t *testing.T) {
	for _, ms := range []float64{-1e-9, math.NaN(), math.Inf(1), math.Inf(-1), 9.1e12, math.MaxFloat64} {
		if d, ok := Duration(ms); ok {
			t.Errorf("%v ms is %v", ms, d)
		}
	}
	if d, ok := Duration(1500.5); !ok || d != 1500500*time.Microsecond {
		t.Errorf("1500.5 ms is %v, %v", d, ok)
	}
}

func TestCodes(t *testing.T) {
	for code := CodeUnsupported; code < 0; code++ {
		err := code.Err()
		if err == nil || CodeOf(err) != code {
			t.Errorf("code %d is %v, which is code %d", code, err, CodeOf(err))
		}
	}
	if CodeOK.Err() != nil || Code(7).Err() != nil || CodeOf(nil) != CodeOK {
		t.Error("success is an error")
	}
	if err := Code(-99).Err(); err == nil {
		t.Error("an unknown code is no error")
	}
	if CodeOf(errors.New("other")) != CodeArgument || CodeOf(ErrRoom) != CodeLimit {
		t.Error("an unknown error, or no room, has another code")
	}
}

func FuzzRecords(f *testing.F) {
	f.Add(AppendConfig(nil, &goldenConfig, nil))
	f.Add(AppendCommand(nil, &goldenCommand))
	for i := range goldenEvents {
		f.Add(AppendEvent(nil, &goldenEvents[i]))
	}
	f.Add(AppendState(nil, &goldenState))
	f.Fuzz(func(t *testing.T, rec []byte) {
		// What one decoder accepts survives the way out and back.
		if cfg, seed, err := ParseConfig(rec); err == nil {
			again, _, err := ParseConfig(AppendConfig(nil, &cfg, seed))
			if err != nil || again.Server != cfg.Server || again.RTO != cfg.RTO || again.Rc != cfg.Rc {
				t.Fatalf("%+v became %+v: %v", cfg, again, err)
			}
		}
		if e, err := ParseEvent(rec); err == nil {
			again, err := ParseEvent(AppendEvent(nil, &e))
			if err != nil || !reflect.DeepEqual(again, e) {
				t.Fatalf("%+v became %+v: %v", e, again, err)
			}
		}
		if s, err := ParseState(rec); err == nil {
			again, err := ParseState(AppendState(nil, &s))
			if err != nil || again != s {
				t.Fatalf("%+v became %+v: %v", s, again, err)
			}
		}
		var c Command
		_ = c.Parse(rec)
		_, _ = ParsePeer(rec)
		_ = ParseStats(rec)
	})
}

func FuzzLayout(f *testing.F) {
	mem := make([]byte, HeaderSize)
	NewLayout(64, 64, 1, 1, 64).Store(mem)
	f.Add(mem)
	f.Fuzz(func(t *testing.T, header []byte) {
		mem := make([]byte, 1<<16)
		copy(mem, header)
		l, err := LoadLayout(mem)
		if err != nil {
			return
		}
		_, _, _ = l.ControlIn.Of(mem), l.ControlOut.Of(mem), l.Arena.Of(mem)
		if n := int(l.Out.Count); n > 0 {
			_ = l.Out.At(mem, n-1).Addr()
		}
	})
}
