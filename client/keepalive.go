package client

import (
	"time"

	"github.com/pion/stun/v3"
)

// keepaliveMinimum is the shortest time between two keep-alives: more often
// would be traffic of its own.
const keepaliveMinimum = time.Second

// armKeepalive plans the next one.
//
// "many NATs deployed at the time of publication expire their UDP bindings
// considerably faster. Thus, an application using TURN will probably wish to
// send some sort of keep-alive traffic at a much faster rate."
// https://www.rfc-editor.org/rfc/rfc8656#section-9
func (c *Client) armKeepalive(now time.Duration) {
	if o := c.cfg.options; o != nil && o.keepalive > 0 {
		o.keepaliveAt = now + o.keepalive
		c.rearm()
	}
}

// keepaliveAt is when the next one is due; 0: never.
func (c *Client) keepaliveAt() time.Duration {
	if o := c.cfg.options; o != nil && c.phase == PhaseAllocated && !c.moving() {
		return o.keepaliveAt
	}
	return 0
}

// tickKeepalive sends a Binding indication, which no server answers: it is the
// NATs on the way that are to see it.
func (c *Client) tickKeepalive(now time.Duration) {
	if at := c.keepaliveAt(); at == 0 || at > now {
		return
	}
	id, ok := c.newID(now)
	if !ok {
		return
	}
	c.armKeepalive(now)
	m := &stun.Message{
		Raw: make([]byte, 0, stunHeader+wordSize), TransactionID: id,
		Type: stun.NewType(stun.MethodBinding, stun.ClassIndication),
	}
	m.WriteHeader()
	if c.cfg.fingerprint {
		added(m, stun.Fingerprint.AddTo(m))
	}
	c.transmit(m.Raw)
}
