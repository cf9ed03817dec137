package client

import (
	"crypto/md5"
	"net/netip"
	"time"
)

func (s *settings) archive(a *archive) {
	a.addrPort(&s.server)
	a.u8((*uint8)(&s.family), uint8(FamilyIPv6))
	a.flags(&s.anonymous, &s.fingerprint, &s.autoPermission, &s.reclaim, &s.reallocate, &s.mobility)
	a.u8(&s.rc, maxSends)
	a.u8(&s.rm, maxWaits)
	a.u32(&s.minRTO, uint32(maxRTO/time.Millisecond))
	a.span(&s.rto, maxRTO)
	a.span(&s.lifetime, maxLifetime)
	a.span(&s.refreshCap, maxSpan)
	a.text(&s.software, maxReason)
	has := s.options != nil
	a.flags(&has)
	if !has {
		return
	}
	if a.reads() {
		s.options = new(options)
	}
	s.options.archive(a)
}

func (o *options) archive(a *archive) {
	a.span(&o.keepalive, maxSpan)
	a.instant(&o.keepaliveAt)
	a.fixed(o.token[:])
	a.u8((*uint8)(&o.evenPort), uint8(EvenPortReserve))
	a.flags(&o.dontFragment, &o.both, &o.single)
	a.addrPort(&o.additional)
}

func (a *archive) identity(id *identity) {
	a.blob(&id.username, maxUsername)
	a.blob(&id.password, maxText)
	a.blob(&id.token, maxToken)
}

func (au *auth) archive(a *archive) {
	a.identity(&au.identity)
	a.text(&au.nonce, maxText)
	a.u32(&au.nonceAge, 1<<32-1)
	a.flags(&au.proven)
	au.signer = a.credential(au.signer)
}

// credential is named by its place among those that were named before, from 1 on;
// the place behind the last says that a new one follows. 0 is none. Who is the
// same stays the same: the machine compares.
func (a *archive) credential(cr *credential) *credential {
	place, known := 0, len(a.credentials)
	if cr != nil {
		place = known + 1
		for i := range a.credentials {
			if a.credentials[i] == cr {
				place = i + 1
			}
		}
	}
	place = a.count(place, uint64(known)+1)
	switch {
	case place == 0:
		return nil
	case place <= known:
		return a.credentials[place-1]
	}
	if a.reads() {
		cr = new(credential)
	}
	a.credentials = append(a.credentials, cr)
	cr.archive(a)
	return cr
}

func (cr *credential) archive(a *archive) {
	a.blob(&cr.username, maxUsername)
	a.blob(&cr.realm, maxText)
	a.fixed(cr.key[:md5.Size])
	has := cr.modern != nil
	a.flags(&has)
	if !has {
		return
	}
	if a.reads() {
		cr.modern = new(modern)
	}
	m := cr.modern
	a.blob(&m.list, maxAlgorithms)
	a.u16((*uint16)(&m.algorithm), uint16(algorithmSHA256))
	a.flags(&m.userhash)
	a.blob(&m.key, maxText)
	a.blob(&m.token, maxToken)
	a.fixed(m.hash[:])
}

func (l *lease) archive(a *archive) {
	a.instant(&l.until)
	a.span(&l.granted, maxLifetime)
	a.flags(&l.signed, &l.older)
	a.instant(&l.asked)
	a.addrPort(&l.relayed)
}

func (al *allocation) archive(a *archive) {
	a.addrPort(&al.mapped)
	a.span(&al.lifetime, maxLifetime)
	a.instants(&al.madeAt, &al.expiresAt, &al.refreshAt)
}

// archiveMobility: beside a move there is the ticket alone.
func (c *Client) archiveMobility(a *archive) {
	var ticket []byte
	if c.mobile != nil {
		ticket = c.mobile.ticket
	}
	a.blob(&ticket, maxTicket)
	if a.reads() && len(ticket) > 0 {
		c.mobile = &mobility{ticket: ticket}
	}
}

func (c *Client) archiveTables(a *archive) {
	a.u16(&c.channelStart, maxChannels-1)
	if n := a.list(len(c.permissions), maxPermissions); a.reads() && n > 0 {
		c.permissions = make([]permission, n)
	}
	for i := range c.permissions {
		p := &c.permissions[i]
		a.peer(&p.addr)
		a.flags(&p.wanted, &p.asked, &p.busy, &p.told)
		a.instants(&p.sentAt, &p.goodUntil, &p.refreshAt)
	}
	if n := a.list(len(c.channels), maxChannels); a.reads() && n > 0 {
		c.channels = make([]channel, n)
	}
	for i := range c.channels {
		ch := &c.channels[i]
		a.addrPort(&ch.peer)
		a.flags(&ch.wanted, &ch.asked, &ch.busy, &ch.retried, &ch.refused, &ch.told)
		a.instants(&ch.sentAt, &ch.goodUntil, &ch.refreshAt)
	}
	c.archivePayloads(a)
}

// archivePayloads: of too many that wait the last ones stay behind.
func (c *Client) archivePayloads(a *archive) {
	kept, dropped := c.queue.storable()
	kept = a.list(kept, maxStoredPayloads)
	for i := 0; i < kept && a.fault == ""; i++ {
		var q queued
		if !a.reads() {
			q = c.queue.payloads[i]
		}
		a.addrPort(&q.peer)
		a.blob(&q.data, maxMessage)
		if a.reads() {
			c.enqueue(q.peer, q.data)
		}
	}
	a.u64(&dropped)
	if a.reads() {
		c.stats.PayloadsDropped += dropped
	}
}

// storable is how many of the payloads go with a snapshot, and how many do not.
func (q *queue) storable() (kept int, dropped uint64) {
	if q == nil {
		return 0, 0
	}
	size := 0
	for ; kept < min(len(q.payloads), maxStoredPayloads); kept++ {
		if size += len(q.payloads[kept].data); size > maxSnapshotPayloads {
			break
		}
	}
	return kept, uint64(len(q.payloads) - kept)
}

func (c *Client) archiveRequests(a *archive) {
	if n := a.list(len(c.requests), maxStoredRequests); a.reads() && n > 0 {
		c.requests = make([]*transaction, n)
	}
	for i := range c.requests {
		if a.reads() {
			c.requests[i] = new(transaction)
		}
		c.requests[i].archive(a)
	}
	if n := a.list(len(c.forgone), maxForgone); a.reads() && n > 0 {
		c.forgone = make([]forgone, n)
	}
	for i := range c.forgone {
		f := &c.forgone[i]
		a.fixed(f.id[:])
		a.u8((*uint8)(&f.purpose), uint8(purposeCount-1))
		f.signer = a.credential(f.signer)
	}
	if !a.reads() {
		return
	}
	for _, cr := range a.credentials {
		if cr != c.auth.signer {
			c.auth.retired = append(c.auth.retired, cr)
		}
	}
}

func (tx *transaction) archive(a *archive) {
	a.fixed(tx.id[:])
	a.u8((*uint8)(&tx.purpose), uint8(purposeCount-1))
	a.u8(&tx.failures, maxServerErrors)
	a.u8(&tx.sends, maxSends)
	a.u8(&tx.heldSends, maxSends)
	a.flags(&tx.forged, &tx.ticketed)
	a.u16(&tx.number, 1<<16-1)
	a.u32(&tx.nonceAge, 1<<32-1)
	a.u32(&tx.rto, uint32(maxRTO/time.Millisecond))
	tx.signer = a.credential(tx.signer)
	a.text(&tx.nonce, maxText)
	if n := a.list(len(tx.elders), maxResigned); a.reads() && n > 0 {
		tx.elders = make([]transactionID, n)
	}
	for i := range tx.elders {
		a.fixed(tx.elders[i][:])
	}
	a.instants(&tx.firstAt, &tx.lastAt, &tx.dueAt)
	a.verdictIfAny(&tx.held)
	if n := a.list(len(tx.peers), maxStoredPeers); a.reads() && n > 0 {
		tx.peers = make([]netip.Addr, n)
	}
	for i := range tx.peers {
		a.peer(&tx.peers[i])
	}
}

// verdictIfAny: where a 300 points no longer matters.
func (a *archive) verdictIfAny(v **verdict) {
	has := *v != nil
	a.flags(&has)
	if !has {
		return
	}
	if a.reads() {
		*v = new(verdict)
	}
	code := uint16((*v).code)
	a.u16(&code, 699)
	(*v).code = int(code)
	a.text(&(*v).reason, maxText)
	a.flags(&(*v).signed, &(*v).bare, &(*v).refused, &(*v).fragment)
}
