package host

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net"
	"sync"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// driver drives one instance: an engine, the lock that it needs, the Conns in
// it, and the one timer that it is armed with.
type driver struct {
	eng    engine
	region []byte
	layout abi.Layout
	clock  clock
	log    *slog.Logger

	in, out slots // of the arena

	mu      sync.Mutex
	dead    error           // set once; the engine is never called after it
	conns   map[int32]*Conn // by handle
	touched []*Conn         // those with something to do outside of the lock
	timer   *time.Timer
	armed   float64 // what the timer is set to, in ms; +Inf: it is not

	slotIn, slotOut *slot // those that the machine is being called with
}

func newDriver(eng engine, k clock, log *slog.Logger) (*driver, error) {
	layout, err := abi.LoadLayout(eng.region())
	if err != nil {
		return nil, err
	}
	if layout.Arena.Size < arenaUsed {
		return nil, fmt.Errorf("%w: the arena has %d bytes, %d are needed", abi.ErrLayout, layout.Arena.Size, arenaUsed)
	}
	d := &driver{
		eng: eng, region: eng.region(), layout: layout, clock: k, log: log,
		conns: make(map[int32]*Conn), armed: math.Inf(1),
	}
	d.in.cut(d.region, layout.Arena.Offset, slotsIn)
	d.out.cut(d.region, layout.Arena.Offset+slotsIn*slotSize, slotsOut)
	d.timer = time.AfterFunc(math.MaxInt64, d.tick)
	return d, nil
}

// add makes the client, of a snapshot unless from is nil. It answers
// client.ErrLimit when there is no room.
func (d *driver) add(c *Conn, t *transport, from *saved, most int) error {
	var room *slot
	if from != nil {
		if room = d.out.take(); room == nil {
			return ErrTrapped
		}
		defer d.out.give(room)
	}
	return d.do(func() error {
		if most > 0 && len(d.conns) >= most {
			return client.ErrLimit
		}
		handle, err := c.enter(d, t.server, from, room)
		if err != nil {
			return d.detailed(err)
		}
		c.driver, c.handle = d, int32(handle)
		if from != nil {
			if err := c.revive(from, t); err != nil {
				_, _ = d.answer(d.eng.free(c.handle))
				return err
			}
		}
		d.conns[c.handle] = c
		c.attach(t)
		c.rt.running.Add(1)
		go c.read()
		return nil
	})
}

// detailed adds the text that the machine left for its error.
func (d *driver) detailed(err error) error {
	control := d.layout.ControlOut.Of(d.region)
	if n := d.head().ErrorLen(); d.dead == nil && n > 0 && n <= len(control) {
		return &detailedError{string(control[:n]), err}
	}
	return err
}

// detailedError is the error of a code, in the machine's own words.
type detailedError struct {
	text string
	is   error
}

func (e *detailedError) Error() string { return e.text }
func (e *detailedError) Unwrap() error { return e.is }

// do runs f, which calls the engine, under the lock; takes what the machine
// has to say; arms the timer; then, outside of the lock, sends and finishes
// what f brought about. Its error is f's, or that the engine is dead.
func (d *driver) do(f func() error) error {
	d.mu.Lock()
	err := d.dead
	if err == nil {
		err = f()
	}
	settle(d.unlock())
	return err
}

// unlock ends what was begun with the lock: it takes what the machine has to
// say, arms the timer, and answers the Conns that are to be settled now.
func (d *driver) unlock() []*Conn {
	if d.dead == nil {
		d.drain()
	}
	if d.dead == nil {
		d.arm()
	}
	touched := d.takeTouched()
	d.mu.Unlock()
	return touched
}

// settle does what the Conns have to do outside of the lock.
func settle(touched []*Conn) {
	for _, c := range touched {
		c.settle()
	}
}

// answer sorts out what an engine's call answered: a trap kills the instance, a
// negative number is the machine's error.
func (d *driver) answer(n int32, err error) (int, error) {
	if err != nil {
		d.die("trapped", err)
		return 0, d.dead
	}
	return int(n), abi.Code(n).Err()
}

// maxRounds bounds what one drain may hand out, so that a machine gone wrong
// cannot keep the lock for ever.
const maxRounds = 1 << 16

// drain polls until the machine has nothing more to say.
func (d *driver) drain() {
	for range maxRounds {
		if d.head().Pending() {
			d.poll()
		} else if !d.followUp() {
			return
		}
		if d.dead != nil {
			return
		}
	}
	d.die("trapped", fmt.Errorf("it does not drain in %d rounds", maxRounds))
}

func (d *driver) poll() {
	if n, err := d.answer(d.eng.poll()); err == nil {
		d.take(n)
	}
}

// followUp does what the events asked for and what could not be done while
// their descriptors were read. It says whether there may be something to poll.
func (d *driver) followUp() bool {
	again := false
	for i := 0; i < len(d.touched) && d.dead == nil; i++ {
		again = d.touched[i].followUp() || again
	}
	return again
}

func (d *driver) head() abi.Header { return abi.Header(d.region) }

// arm sets the timer to the machine's next deadline if that is earlier than
// what it is set to: a tick that finds nothing due costs less than to move the
// timer each time that a deadline moves away.
func (d *driver) arm() {
	if next := d.head().Next(); next < d.armed {
		d.armed = next
		d.timer.Reset(d.clock.until(next))
	}
}

// tick is the timer's.
func (d *driver) tick() {
	_ = d.do(func() error {
		d.armed = math.Inf(1)
		if _, err := d.eng.tick(d.clock.now()); err != nil {
			d.die("trapped", err)
		}
		return d.dead
	})
}

// die ends the instance: its engine is not called again, its Conns get their
// verdict, and their parting datagrams go out.
func (d *driver) die(reason string, cause error) {
	if d.dead != nil {
		return
	}
	d.dead = fmt.Errorf("%w: %w", ErrTrapped, cause)
	d.timer.Stop()
	d.log.Error("the engine is dead", "reason", reason, "cause", cause, "conns", len(d.conns))
	for _, c := range d.conns {
		c.orphan(reason)
	}
	clear(d.conns)
}

// touch notes that c has something to do when the lock is given up.
func (d *driver) touch(c *Conn) {
	if !c.touched {
		c.touched = true
		d.touched = append(d.touched, c)
	}
}

func (d *driver) takeTouched() []*Conn {
	touched := d.touched
	d.touched = nil
	for _, c := range touched {
		c.touched = false
	}
	return touched
}

// kill ends the instance from outside.
func (d *driver) kill(reason string, cause error) {
	_ = d.do(func() error {
		d.die(reason, cause)
		return d.dead
	})
}

// load is how many clients are in it.
func (d *driver) load() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.conns)
}

// maybeBury gives a dead engine's memory back, and says whether it was dead.
func (d *driver) maybeBury() bool {
	d.mu.Lock()
	dead := d.dead != nil
	d.mu.Unlock()
	if !dead || !d.closeSlots(false) {
		return false
	}
	if err := d.shut(); err != nil {
		d.log.Warn("a dead engine does not go", "error", err)
	}
	return true
}

// closeSlots lets nobody into the arena any more, and says whether it is empty.
func (d *driver) closeSlots(wait bool) bool {
	in := d.in.close(wait)
	return d.out.close(wait) && in
}

// shut gives the engine back. No client is in it any more.
func (d *driver) shut() error {
	d.closeSlots(true)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.timer.Stop()
	if d.dead == nil {
		d.dead = net.ErrClosed
	}
	d.region = nil
	return d.eng.shut(context.Background())
}
