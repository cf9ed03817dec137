package host

import (
	"cmp"
	"time"
)

// defaultRenewBefore leaves time for asking a web server, and for a second try.
const defaultRenewBefore = time.Minute

// renewal calls Config.Renew in time. It is guarded by driver.mu.
type renewal struct {
	timer *time.Timer // nil: none was armed
	until time.Time   // when the credential expires
}

// armRenewal: there is an allocation, which is to outlive its credential. One
// that is made anew by itself does not ask twice.
func (c *Conn) armRenewal() {
	until, says := Credentials{Username: c.settings.Username, Expires: c.settings.Expires}.Expiry()
	if c.settings.Renew == nil || !says || until.Equal(c.renewal.until) {
		return
	}
	c.disarmRenewal()
	c.renewal.until = until
	ahead := cmp.Or(c.settings.RenewBefore, defaultRenewBefore)
	c.renewal.timer = time.AfterFunc(time.Until(until)-ahead, func() {
		if !isClosed(c.closing) {
			c.settings.Renew(c, until)
		}
	})
}

func (c *Conn) disarmRenewal() {
	if c.renewal.timer != nil {
		c.renewal.timer.Stop()
	}
}
