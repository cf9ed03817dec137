package turntest

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/turnwasm/turnwasm/client"
)

// faulty stands in front of a real client and breaks one rule.
type faulty struct {
	Machine
	transmit func(client.Transmit) (client.Transmit, bool) // false = swallow it
	event    func(client.Event) client.Event
	timeout  func(time.Duration, bool) (time.Duration, bool)
	extra    []client.Transmit
}

func (f *faulty) PollTransmit() (client.Transmit, bool) {
	if len(f.extra) > 0 {
		t := f.extra[0]
		f.extra = f.extra[1:]
		return t, true
	}
	for t, ok := f.Machine.PollTransmit(); ok; t, ok = f.Machine.PollTransmit() {
		if f.transmit == nil {
			return t, true
		}
		if t, keep := f.transmit(t); keep {
			return t, true
		}
	}
	return client.Transmit{}, false
}

func (f *faulty) PollEvent() (client.Event, bool) {
	e, ok := f.Machine.PollEvent()
	if ok && f.event != nil {
		e = f.event(e)
	}
	return e, ok
}

func (f *faulty) PollTimeout() (time.Duration, bool) {
	at, ok := f.Machine.PollTimeout()
	if f.timeout != nil {
		return f.timeout(at, ok)
	}
	return at, ok
}

// isMessage: the datagram is a STUN message of a method and class.
func isMessage(datagram []byte, method Method, class Class) bool {
	m, err := Decode(datagram)
	return err == nil && m.Method == method && m.Class == class
}

func isReleaseDatagram(datagram []byte) bool {
	m, err := Decode(datagram)
	return err == nil && m.isRelease()
}

func swallowReleases(f *faulty, _ client.Config) {
	f.transmit = func(t client.Transmit) (client.Transmit, bool) { return t, !isReleaseDatagram(t.Data) }
}

// plants are machines that break one rule each, and the rule that must say so.
var plants = map[string]struct {
	rules string // any of them
	make  func(*faulty, client.Config)
}{
	"swallows the release":       {"C2 I10", swallowReleases},
	"gives up without a release": {"C14", swallowReleases},
	"closes without a release":   {"C9", swallowReleases},
	"closes at once without one": {"C1", swallowReleases},
	"never tells of a channel": {"P5", func(f *faulty, _ client.Config) {
		f.event = func(e client.Event) client.Event {
			if e.Kind == client.ChannelBound || e.Kind == client.ChannelFailed {
				e.Kind = client.PartingChanged
			}
			return e
		}
	}},
	"hurts a whole batch": {"P2", func(f *faulty, _ client.Config) {
		f.event = func(e client.Event) client.Event {
			if e.Kind == client.PermissionCreated {
				e.Kind, e.Code = client.PermissionFailed, 403
			}
			return e
		}
	}},
	"refreshes no more": {"L3", func(f *faulty, _ client.Config) {
		sent := map[TransactionID]bool{}
		f.transmit = func(t client.Transmit) (client.Transmit, bool) {
			m, err := Decode(t.Data)
			if err != nil || m.Method != MethodRefresh || m.isRelease() {
				return t, true
			}
			first := len(sent) == 0
			sent[m.ID] = true
			return t, first || len(sent) == 1
		}
	}},
	"says released whatever happened": {"C8 I10", func(f *faulty, _ client.Config) {
		f.event = func(e client.Event) client.Event {
			if e.Kind == client.Closed {
				e.Outcome, e.Until, e.ReuseAfter = client.Released, 0, 2*time.Second
			}
			return e
		}
	}},
	"forgets to say until when": {"C9 I10", func(f *faulty, _ client.Config) {
		f.event = func(e client.Event) client.Event { e.Until = 0; return e }
	}},
	"changes a resend": {"I6 A6", func(f *faulty, _ client.Config) {
		n := byte(0)
		f.transmit = func(t client.Transmit) (client.Transmit, bool) {
			n++
			if !isMessage(t.Data, MethodAllocate, Request) {
				return t, true
			}
			changed := append([]byte(nil), t.Data...)
			m, _ := Decode(changed)
			if v, ok := m.Get(AttrRequestedTransport); ok {
				v[3] = n
			}
			t.Data = changed
			return t, true
		}
	}},
	"resends for ever": {"T1", func(f *faulty, _ client.Config) {
		f.transmit = func(t client.Transmit) (client.Transmit, bool) {
			if isMessage(t.Data, MethodAllocate, Request) && len(f.extra) == 0 {
				for range 8 {
					f.extra = append(f.extra, client.Transmit{To: t.To, Flow: t.Flow, Data: append([]byte(nil), t.Data...)})
				}
			}
			return t, true
		}
	}},
	"leaves its deadline in the past": {"I3 E2 C12", func(f *faulty, _ client.Config) {
		f.timeout = func(at time.Duration, ok bool) (time.Duration, bool) { return min(at, 3*time.Second), ok }
	}},
	"has no deadline": {"I2 C2", func(f *faulty, _ client.Config) {
		f.timeout = func(time.Duration, bool) (time.Duration, bool) { return 0, false }
	}},
	"sends where nobody asked": {"T4", func(f *faulty, _ client.Config) {
		f.transmit = func(t client.Transmit) (client.Transmit, bool) {
			t.To = netip.MustParseAddrPort("192.0.2.99:9")
			return t, true
		}
	}},
	"resends with a new transaction ID": {"T3", func(f *faulty, _ client.Config) {
		n := byte(0)
		f.transmit = func(t client.Transmit) (client.Transmit, bool) {
			if isMessage(t.Data, MethodAllocate, Request) {
				n++
				t.Data = append([]byte(nil), t.Data...)
				t.Data[19] += n
			}
			return t, true
		}
	}},
	"takes a new channel number for each bind": {"I5", func(f *faulty, _ client.Config) {
		numbers := map[TransactionID]byte{}
		f.transmit = func(t client.Transmit) (client.Transmit, bool) {
			m, err := Decode(append([]byte(nil), t.Data...))
			if err != nil || m.Method != MethodChannelBind || m.Signed() {
				return t, true
			}
			if _, ok := numbers[m.ID]; !ok {
				numbers[m.ID] = byte(len(numbers))
			}
			v, _ := m.Get(AttrChannelNumber)
			v[1] = numbers[m.ID]
			t.Data = m.raw
			return t, true
		}
	}},
	"calls unsigned errors signed": {"A10", func(f *faulty, _ client.Config) {
		f.event = func(e client.Event) client.Event { e.Signed = e.Signed || e.Code == 437; return e }
	}},
}

// wrap plants a fault in every client of a world.
func wrap(plant func(*faulty, client.Config)) Options {
	return Options{New: func(cfg client.Config) (Machine, error) {
		c, err := client.New(cfg)
		f := &faulty{Machine: c}
		plant(f, cfg)
		return f, err
	}}
}

// wantFound runs seeds until a rule speaks, and demands that it is the right one.
func wantFound(t *testing.T, name, rules string, opts Options) {
	t.Helper()
	for seed := uint64(1); seed <= 500; seed++ {
		for _, v := range Run(seed, opts).Violations {
			if strings.Contains(" "+rules+" ", " "+v.Rule+" ") {
				return
			}
		}
	}
	t.Errorf("%s: no rule of %s found it in 500 seeds", name, rules)
}

func TestRulesFindPlantedFaults(t *testing.T) {
	for name, plant := range plants {
		wantFound(t, name, plant.rules, wrap(plant.make))
	}
}
