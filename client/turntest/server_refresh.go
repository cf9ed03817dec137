package turntest

// owned finds the allocation that an authenticated request is about; without
// one, or with another user's, the exchange is over.
//
// "if the 5-tuple does not identify an existing allocation, then the message
// MUST either be rejected with a 437 Allocation Mismatch error (if it is a
// request)", and if "the request does not use the same username as used to
// create the allocation, then the request MUST be rejected with a 441 (Wrong
// Credentials) error".
// https://www.rfc-editor.org/rfc/rfc8656#section-5
func (x *exchange) owned(withoutAllocation int) *holding {
	h := x.s.holdings[x.from]
	if h != nil && h.username == x.username {
		return h
	}
	if x.s.habits.silentWithoutAllocation {
		return nil
	}
	if h != nil {
		withoutAllocation = 441
	}
	x.refuse(withoutAllocation)
	return nil
}

// refresh is an authenticated Refresh.
// https://www.rfc-editor.org/rfc/rfc8656#section-8.2
func (x *exchange) refresh() {
	h := x.refreshed()
	if h == nil {
		return
	}
	if family, ok := x.m.Get(AttrRequestedAddressFamily); ok && len(family) == 4 &&
		(family[0] == familyIPv6) != h.relayed.Addr().Is6() && !h.additional.IsValid() {
		x.refuse(443)
		return
	}
	if x.m.isRelease() {
		x.release(h)
		return
	}
	// A Refresh that comes while the deletion is under way takes it back.
	lifetime := x.s.grant(x.m)
	x.s.touchHolding(h, x.m, lifetime)
	x.succeed().Lifetime(lifetime)
	if x.m.Has(AttrMobilityTicket) && h.ticket != "" {
		x.reply.Text(AttrMobilityTicket, h.ticket)
	}
}

// release deletes: "If the "desired lifetime" is zero, then the request
// succeeds and the allocation is deleted." Late, if that is the server's habit.
func (x *exchange) release(h *holding) {
	switch {
	case x.fault == Keep:
		x.s.commit(Keep)
		x.succeed().Lifetime(h.expiresAt - x.s.now)
		return
	case x.s.cfg.DeleteLate == 0:
		x.s.remove(h)
	case h.deleteAt == 0:
		h.deleteAt = x.s.now + x.s.cfg.DeleteLate
	}
	x.succeed().Lifetime(0)
}
