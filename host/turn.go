package host

import "time"

// sendRest sends what waits in the outbox and the queue, unless another
// goroutine has the turn to send: that one does it then.
func (c *Conn) sendRest() {
	if (c.out.any.Load() || c.writes.left(0)) && c.out.turn.TryLock() {
		c.writes.sendQueued()
		c.endTurn()
	}
}

// endTurn gives the turn up. What came meanwhile from those who did not get it
// is sent first: they have left it to this goroutine.
func (c *Conn) endTurn() {
	o := &c.out
	for round := 1; ; round++ {
		_ = o.send()
		failed, later := o.failed, o.later
		o.failed, o.later = nil, nil
		o.turn.Unlock()
		settle(later)
		if failed != nil {
			c.pathError(failed)
			c.maybeMove(failed)
		}
		// Who found the turn taken until now has put in what he has before.
		if !o.any.Load() && !c.writes.left(round) || !o.turn.TryLock() {
			return
		}
		c.writes.sendQueued()
	}
}

// stuck is how long the last datagrams wait for one that the socket does not
// take.
const stuck = 100 * time.Millisecond

// sendLast sends the last datagrams, whatever another goroutine is at.
func (c *Conn) sendLast() {
	if !c.out.turn.TryLock() {
		for _, t := range c.flows {
			_ = t.sock.SetWriteDeadline(time.Now().Add(stuck))
		}
		c.out.turn.Lock()
		for _, t := range c.flows {
			_ = t.sock.SetWriteDeadline(time.Time{})
		}
	}
	_ = c.out.send()
	c.out.turn.Unlock()
}
