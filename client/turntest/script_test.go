package turntest

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// allocatedScript is a whole life.
const allocatedScript = `# A comment.
new user=alice password=secret
allocated

permit 198.51.100.7
recv tx=3 success integrity=ok
advance 5m

close linger=2s
`

func play(t *testing.T, text string, d Driver) string {
	t.Helper()
	out, err := RunScript(text, d)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestScriptIsItsOwnGolden(t *testing.T) {
	first := play(t, allocatedScript, new(NativeDriver))
	if second := play(t, first, new(NativeDriver)); DiffScript(first, second) != "" {
		t.Errorf("what a script wrote is not what it writes: %s", DiffScript(first, second))
	}
	for _, want := range []string{
		"# A comment.\nnew user=alice password=secret\nallocated\n----\n@0s -> Allocate request tx=1 REQUESTED-TRANSPORT=UDP\n",
		"@240s -> CreatePermission request tx=4 ", "\n@300s -> Refresh request ", "\nwake @300.5s resend Refresh (release)\n\n# stats SentMessages=17 ", "\n# sha256 ",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("the script lacks %q:\n%s", want, first)
		}
	}
}

func TestScriptHashIsOfTheBytes(t *testing.T) {
	sum := func(text string) string {
		_, s, _ := strings.Cut(play(t, text, new(NativeDriver)), scriptSum)
		return s
	}
	base := sum("new user=alice password=secret\nallocate\n")
	for _, other := range []string{
		"new user=alice password=secret software=x\nallocate\n",
		"new user=alice password=secret\nallocate\nadvance 1s\n",
		"advance 1s\nnew user=alice password=secret\nallocate\n",
		"new user=bob password=x\nnew name=b user=alice password=secret\nb: allocate\n",
	} {
		if sum(other) == base {
			t.Errorf("another run has the same hash: %s", other)
		}
	}
	if sum("new user=bob password=other\nallocate\n") != base {
		t.Error("the same bytes have another hash")
	}
}

func TestScriptsThatAreWrong(t *testing.T) {
	for text, want := range map[string]string{
		"allocate":                                                         "no client yet",
		"new user=a password=b\nfly":                                       "no command",
		"new user=a password=b\nallocate fast":                             "nobody understands",
		"new user=a password=b\nb: allocate":                               "no client \"b\"",
		"new user=a password=b\npermit":                                    "a peer is missing",
		"new user=a password=b\npermit somewhere":                          "not an ip:port",
		"new user=a password=b\ntimeout":                                   "no deadline",
		"new user=a password=b\nadvance soon":                              "duration",
		"new user=a password=b\nrecv":                                      "what is received",
		"new user=a password=b\nrecv tx=1 success":                         "no tx=1",
		"new user=a password=b\nrecv tx=new finish":                        "no class",
		"new user=a password=b\nrecv smoke":                                "nobody receives",
		"new user=a password=b\nrecv hex zz":                               "invalid byte",
		"new user=a password=b\nsend 192.0.2.1:1 \"":                       "quotes",
		"new user=a password=b\nrecv indication Fly":                       "no method",
		"new user=a password=b\nallocate\nrecv tx=1 success method=Fly":    "no method",
		"new user=a password=b\nallocate\nrecv tx=1 success integrity=ok":  "no key",
		"new user=a password=b\nallocate\nrecv tx=1 success wings=1":       "no attribute",
		"new user=a password=b\nallocate\nrecv tx=1 error many":            "invalid syntax",
		"new user=a password=b\nallocate\nrecv tx=1 success lifetime=long": "invalid syntax",
		"new user=a password=b\nrecv data 192.0.2.1:1 icmp=3":              "is not TYPE/CODE",
		"new user=a password=b rto=never":                                  "duration",
		"new user=a password=b\nfree\nstate":                               "was freed",
	} {
		out, err := RunScript(text, new(NativeDriver))
		if err == nil && !strings.Contains(out, want) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q\n%s", text, err, want, out)
		}
	}
}

// crooked is a driver whose client breaks a rule of every run.
type crooked struct {
	NativeDriver
	bend func(effects []Effect) []Effect
	late bool // its deadlines lie in the past
}

func (d *crooked) Effects(now time.Duration) []Effect { return d.bend(d.NativeDriver.Effects(now)) }

func (d *crooked) State(n int) abi.State {
	s := d.NativeDriver.State(n)
	if d.late && s.Wakes {
		s.WakeAt = 1
	}
	return s
}

func TestScriptsFailOnBrokenRules(t *testing.T) {
	straight := func(effects []Effect) []Effect { return effects }
	for want, d := range map[string]*crooked{
		"not in the future": {bend: straight, late: true},
		"after Closed": {bend: func(effects []Effect) []Effect {
			for _, e := range effects {
				if e.Event != nil && e.Event.Kind == client.Closed {
					return append(effects, Effect{Event: &client.Event{Kind: client.Refreshed}})
				}
			}
			return effects
		}},
		"other bytes": {bend: func(effects []Effect) []Effect {
			for _, e := range effects {
				if e.Transmit != nil {
					changed := *e.Transmit
					changed.Data = append([]byte(nil), changed.Data...)
					changed.Data[len(changed.Data)-1] ^= 1
					return append(effects, Effect{Client: e.Client, Transmit: &changed})
				}
			}
			return effects
		}},
		"not to the server": {bend: func(effects []Effect) []Effect {
			for _, e := range effects {
				if e.Transmit != nil {
					e.Transmit.To = netip.MustParseAddrPort("192.0.2.66:1")
				}
			}
			return effects
		}},
		"does not end": {bend: func([]Effect) []Effect { return make([]Effect, mostEffects) }},
	} {
		if _, err := RunScript(allocatedScript+"\nadvance 1m\n", d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a client that breaks a rule: %v, want %q", err, want)
		}
	}
}

func TestDiffScriptNamesTheLine(t *testing.T) {
	if diff := DiffScript("a\nb\n", "a\nb\n"); diff != "" {
		t.Errorf("equal texts differ: %s", diff)
	}
	for _, got := range []string{"a\nc\n", "a"} {
		if diff := DiffScript("a\nb\n", got); !strings.HasPrefix(diff, "line 2") {
			t.Errorf("the difference is %q", diff)
		}
	}
}
