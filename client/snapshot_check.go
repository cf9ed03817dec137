package client

import "time"

// implausible says what in a snapshot no client can have; "" if nothing is. What
// it does not find may make a client that is useless, but never one that panics
// or grows.
func (c *Client) implausible() string {
	cfg := c.cfg.config()
	cfg.Username, cfg.Password, cfg.AccessToken = c.auth.username, c.auth.password, c.auth.token
	if cfg.check() != nil || c.cfg.rc == 0 || c.cfg.rm == 0 || c.cfg.rto == 0 || c.cfg.minRTO == 0 {
		return "its configuration is none"
	}
	if !c.lease.relayed.IsValid() || c.alloc.expiresAt == 0 || c.lease.until == 0 {
		return "it holds no allocation"
	}
	for i := range c.channels {
		if p := c.channels[i].peer; !p.IsValid() || p.Port() == 0 {
			return "a channel has no peer"
		}
	}
	if q := c.queue; q != nil && q.size > maxSnapshotPayloads {
		return "too much waits"
	}
	for _, tx := range c.requests {
		if why := c.impossible(tx); why != "" {
			return why
		}
	}
	return ""
}

// impossible: an allocation has no requests but these, and what they are built of
// must be there.
func (c *Client) impossible(tx *transaction) string {
	switch {
	case tx.signer != nil && c.auth.signer == nil:
		return "a request is signed, and there is nobody to sign it anew"
	case tx.purpose == forChannel && c.channelBy(tx.number) == nil:
		return "a ChannelBind is for no channel"
	case tx.purpose == forPermission && len(tx.peers) == 0:
		return "a CreatePermission is for nobody"
	case tx.purpose != forChannel && tx.purpose != forPermission && tx.purpose != forRefresh && tx.purpose != forProbe:
		return "a request that an allocation has not"
	case tx.sends > c.cfg.rc || tx.sends > 0 && (tx.rto == 0 || tx.dueAt == 0) || tx.ticketed:
		return "a request that cannot have been sent so"
	}
	return ""
}

// config is what the settings were made from, as far as it can be told.
func (s *settings) config() Config {
	cfg := Config{
		Server: s.server, Transport: s.transport, Family: s.family, Lifetime: s.lifetime, Software: s.software,
		RTO: s.rto, MinRTO: time.Duration(s.minRTO) * time.Millisecond, Rc: int(s.rc), Rm: int(s.rm),
		RefreshCap: s.refreshCap, Rand: s.rand,
	}
	if o := s.options; o != nil {
		cfg.Keepalive, cfg.EvenPort, cfg.ReservationToken, cfg.DontFragment = o.keepalive, o.evenPort, o.token, o.dontFragment
	}
	return cfg
}
