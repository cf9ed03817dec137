package turntest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// scriptStart is the instant that a script calls 0: not the machine's own, so
// that nothing rests on the two being the same.
const scriptStart = time.Minute

// scriptRunner is one run of a script.
type scriptRunner struct {
	d       Driver
	now     time.Duration
	clients []*scriptClient
	current *scriptClient
	named   map[TransactionID]*scriptRequest
	order   []*scriptRequest
	lines   []string
	hash    hash.Hash
}

// scriptClient is what the runner knows of a client.
type scriptClient struct {
	n         int
	name      string
	cfg       client.Config
	passwords []string // oldest first
	usernames []string // likewise
	kids      []string // those usernames that name a token's key
	channels  map[string]uint16
	closed    bool // Closed came
	freed     bool
}

func newScriptRunner(d Driver) *scriptRunner {
	return &scriptRunner{d: d, now: scriptStart, named: map[TransactionID]*scriptRequest{}, hash: sha256.New()}
}

// run carries out one command and drains.
func (r *scriptRunner) run(line string) error {
	if err := r.address(&line); err != nil {
		return err
	}
	list, err := splitWords(line)
	if err != nil {
		return err
	}
	w := &words{list: list}
	name := w.plain("a command")
	do, ok := scriptCommands[name]
	if !ok {
		return fmt.Errorf("there is no command %q", name)
	}
	if r.current == nil && name != "new" && name != "advance" && name != "timeout" {
		return errors.New("there is no client yet")
	}
	refusal := do(r, w)
	if err := w.done(); err != nil {
		return err
	}
	if refusal != nil {
		r.print(r.current, "error "+refusal.Error())
	}
	return r.drain()
}

// address takes a "NAME: " in front of a command.
func (r *scriptRunner) address(line *string) error {
	name, rest, ok := strings.Cut(*line, ": ")
	if len(r.clients) > 0 {
		r.current = r.clients[0]
	}
	if !ok || strings.ContainsAny(name, ` "=`) {
		return nil
	}
	*line = rest
	for _, c := range r.clients {
		if c.name == name {
			r.current = c
			return nil
		}
	}
	return fmt.Errorf("there is no client %q", name)
}

func (r *scriptRunner) print(c *scriptClient, line string) {
	if c != nil {
		line = c.prefix() + line
	}
	r.lines = append(r.lines, line)
}

// prefix stands in front of the lines of a client that has a name.
func (c *scriptClient) prefix() string {
	if c.name == "" {
		return ""
	}
	return c.name + ": "
}

func (r *scriptRunner) takeLines() []string {
	lines := r.lines
	r.lines = nil
	return lines
}

func (r *scriptRunner) sum() string { return hex.EncodeToString(r.hash.Sum(nil)) }

// stamp is an instant as a script writes it: in seconds.
func stamp(at time.Duration) string {
	return "@" + strconv.FormatFloat(at.Seconds(), 'f', -1, 64) + "s"
}

// drain takes every effect, and checks the deadlines after it.
func (r *scriptRunner) drain() error {
	effects := r.d.Effects(r.now)
	if len(effects) >= mostEffects {
		return errors.New("the drain does not end")
	}
	slices.SortStableFunc(effects, func(a, b Effect) int { return a.Client - b.Client })
	for _, e := range effects {
		if err := r.effect(r.clients[e.Client], e); err != nil {
			return err
		}
	}
	for _, c := range r.clients {
		if s, ok := r.state(c); ok && s.Wakes && s.WakeAt <= r.now {
			return fmt.Errorf("a deadline is not in the future: %s at %s", s.WakeWhy, stamp(s.WakeAt-scriptStart))
		}
	}
	return nil
}

func (r *scriptRunner) state(c *scriptClient) (abi.State, bool) {
	if c.freed {
		return abi.State{}, false
	}
	return r.d.State(c.n), true
}

func (r *scriptRunner) effect(c *scriptClient, e Effect) error {
	if c.closed {
		return errors.New("something comes out after Closed")
	}
	if e.Transmit != nil {
		return r.transmit(c, e.Transmit)
	}
	r.event(c, e)
	return nil
}

// record hashes one thing that came out: of whom, when, what, and its bytes.
func (r *scriptRunner) record(c *scriptClient, kind abi.Kind, parts ...[]byte) {
	var head [16]byte
	binary.LittleEndian.PutUint64(head[:], uint64(r.now))
	binary.LittleEndian.PutUint32(head[8:], uint32(c.n))
	head[12] = byte(kind)
	r.hash.Write(head[:])
	for _, p := range parts {
		binary.LittleEndian.PutUint64(head[:], uint64(len(p)))
		r.hash.Write(head[:8])
		r.hash.Write(p)
	}
}

func (r *scriptRunner) transmit(c *scriptClient, t *client.Transmit) error {
	if t.To != c.cfg.Server {
		return fmt.Errorf("a datagram to %v, not to the server", t.To)
	}
	r.record(c, abi.KindTransmit, []byte{byte(t.Flow)}, t.Data)
	label, key, err := r.label(c, t.Data)
	line := stamp(r.now-scriptStart) + " -> "
	if t.Flow != 0 {
		line += fmt.Sprintf("flow %d: ", t.Flow)
	}
	r.print(c, line+DescribeLabelled(t.Data, key, label))
	return err
}

func (r *scriptRunner) event(c *scriptClient, e Effect) {
	event := *e.Event
	r.record(c, abi.KindEvent, abi.AppendEvent(nil, &event), event.Data, e.Parting)
	data := event.Data
	event.Data = nil
	if event.Until != 0 {
		event.Until -= scriptStart
	}
	line := stamp(r.now-scriptStart) + " " + describeEvent(event)
	switch {
	case event.Kind == client.DataReceived:
		line += " " + quotePayload(data)
	case event.Kind == client.PartingChanged && e.Parting == nil:
		line += " nothing owed"
	case event.Kind == client.PartingChanged:
		line += fmt.Sprintf(" owed until=%v", e.PartingUntil-scriptStart)
	}
	c.closed = c.closed || event.Kind == client.Closed
	r.print(c, line)
}

// endBlock writes down what each client waits for.
func (r *scriptRunner) endBlock() error {
	for _, c := range r.clients {
		s, ok := r.state(c)
		switch {
		case !ok:
		case s.Wakes && c.closed:
			return errors.New("a deadline remains after Closed")
		case s.Wakes:
			r.print(c, "wake "+stamp(s.WakeAt-scriptStart)+" "+s.WakeWhy)
		default:
			r.print(c, "no wake")
		}
	}
	return nil
}

// advance goes to an instant, stopping at each deadline on the way.
func (r *scriptRunner) advance(to time.Duration) error {
	for range mostEffects {
		at, ok := r.nextWake()
		if !ok || at > to {
			r.now = to
			return nil
		}
		r.now = at
		r.d.Tick(at)
		if err := r.drain(); err != nil {
			return err
		}
	}
	return errors.New("the deadlines make no progress")
}

func (r *scriptRunner) nextWake() (at time.Duration, ok bool) {
	for _, c := range r.clients {
		if s, lives := r.state(c); lives && s.Wakes && (!ok || s.WakeAt < at) {
			at, ok = s.WakeAt, true
		}
	}
	return at, ok
}
