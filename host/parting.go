package host

import (
	"math"
	"time"

	"github.com/turnwasm/turnwasm/client"
	"github.com/turnwasm/turnwasm/wasm/abi"
)

// parting is the newest parting datagram: the signed Refresh with LIFETIME 0
// that goes out when the engine is dead.
type parting struct {
	flow  client.Flow
	data  []byte        // empty: nothing is owed
	until time.Duration // the server may hold the allocation to this instant
}

// keep copies the datagram of a KindParting descriptor, whose tag is the instant.
func (p *parting) keep(v abi.View, data []byte) {
	p.flow = client.Flow(v.Flow())
	p.data = append(p.data[:0], data...)
	p.until, _ = abi.Duration(math.Float64frombits(v.Tag()))
}

// orphan ends a client whose engine is dead: nobody can be asked any more.
func (c *Conn) orphan(reason string) {
	if c.stage >= stageEnded {
		c.become(stageFreed)
		return
	}
	verdict := c.lastWord(reason)
	c.waiters.fail(c.driver.dead)
	c.shut(c.driver.dead)
	c.end(verdict)
	c.become(stageFreed)
	event := verdict.event()
	c.events.put(event)
	c.log(event)
}

// lastWord ships the parting datagram, whose answer nobody will hear, and says
// what is known without the engine.
func (c *Conn) lastWord(reason string) Closed {
	verdict := Closed{Outcome: client.NothingToRelease, Reason: reason}
	if !c.started {
		return verdict
	}
	verdict.Outcome = client.Abandoned
	if t := c.flowOf(c.parting.flow); t != nil && len(c.parting.data) > 0 {
		c.out.copy(t, c.parting.data)
		verdict.Outcome = client.Unconfirmed
	}
	verdict.Until = c.heldUntil()
	verdict.ReuseAfter = time.Until(verdict.Until)
	return verdict
}

// "each Allocate or Refresh transaction resets this timer to the default
// lifetime value of 600 seconds (10 minutes)"
// https://www.rfc-editor.org/rfc/rfc8656#section-6
const defaultLifetime = 600 * time.Second

// heldUntil is the machine's own word, and without it the worst: a request that
// was sent at this very moment and got what it asked for.
func (c *Conn) heldUntil() time.Time {
	if at := c.driver.clock.at(c.parting.until); at.After(time.Now()) {
		return at
	}
	return time.Now().Add(max(defaultLifetime, c.settings.Lifetime, c.Lifetime()))
}
