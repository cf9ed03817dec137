package client

import (
	"slices"
	"time"
)

// request queues a transaction; it is sent at the instant at, or as soon as
// others have ended.
func (c *Client) request(tx transaction, at time.Duration) *transaction {
	t := &tx
	t.dueAt = at
	c.requests = append(c.requests, t)
	c.rearm()
	return t
}

// pump sends what is due and has not been sent, within the bound on
// outstanding requests. A release waits for nobody.
func (c *Client) pump(now time.Duration) {
	room := maxRequests - c.outstanding()
	for i := 0; i < len(c.requests); i++ {
		tx := c.requests[i]
		if tx.sends > 0 || tx.dueAt > now || room <= 0 && tx.crowds() {
			continue
		}
		if !c.sendFirst(now, tx) {
			return
		}
		if tx.crowds() {
			room--
		}
	}
}

// sentRequests are those of which a copy was sent, at this moment.
func (c *Client) sentRequests() (sent []*transaction) {
	for _, tx := range c.requests {
		if tx.sends > 0 {
			sent = append(sent, tx)
		}
	}
	return sent
}

// outstanding counts the requests that were sent and are not answered.
func (c *Client) outstanding() (n int) {
	for _, tx := range c.requests {
		if tx.sends > 0 && tx.crowds() {
			n++
		}
	}
	return n
}

func (c *Client) dueRequest(now time.Duration) *transaction {
	for _, tx := range c.requests {
		if tx.sends > 0 && tx.dueAt <= now {
			return tx
		}
	}
	return nil
}

func (c *Client) remove(tx *transaction) {
	for i, t := range c.requests {
		if t == tx {
			c.requests = slices.Delete(c.requests, i, i+1)
			break
		}
	}
	if len(c.requests) == 0 {
		c.requests = nil // a client at rest keeps no room
	}
	c.rearm()
}

// find answers the request in flight that has this ID, or had it before it
// was signed anew.
func (c *Client) find(id transactionID) *transaction {
	for _, tx := range c.requests {
		if tx.sends > 0 && tx.id == id {
			return tx
		}
		for _, elder := range tx.elders {
			if elder == id {
				return tx
			}
		}
	}
	return nil
}

// inFlight answers the first request of one of the purposes, sent or not.
func (c *Client) inFlight(purposes ...purpose) *transaction {
	for _, tx := range c.requests {
		for _, p := range purposes {
			if tx.purpose == p {
				return tx
			}
		}
	}
	return nil
}

// dropUnsent forgets what waits for its first send.
func (c *Client) dropUnsent() {
	kept := c.requests[:0]
	for _, tx := range c.requests {
		if tx.sends > 0 {
			kept = append(kept, tx)
		}
	}
	clear(c.requests[len(kept):])
	c.requests = kept
}

// dropRequests forgets the requests of these purposes.
func (c *Client) dropRequests(purposes ...purpose) {
	for tx := c.inFlight(purposes...); tx != nil; tx = c.inFlight(purposes...) {
		c.remove(tx)
	}
}
