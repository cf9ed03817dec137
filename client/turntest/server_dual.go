package turntest

// holdAdditional adds the IPv6 address, where it was asked for and there is one.
//
// "If the Allocate request contains the ADDITIONAL-ADDRESS-FAMILY attribute",
// the server allocates both address types. pion does not know the attribute,
// and nobody has to: it is comprehension-optional.
func (x *exchange) holdAdditional(h *holding) {
	if x.m.Has(AttrAdditionalFamily) && !x.s.habits.oneFamily && x.s.cfg.Relay6.IsValid() && h.relayed.Addr().Is4() {
		h.additional = x.s.freePort(x.s.cfg.Relay6, x.m.Has(AttrEvenPort))
		x.s.relays[h.additional] = h
	}
}

// describeAdditional adds what became of the second family to the answer.
func (x *exchange) describeAdditional(h *holding) {
	switch {
	case x.s.habits.oneFamily:
	case h.additional.IsValid():
		x.reply.Address(AttrXORRelayedAddress, h.additional)
	default:
		x.reply.Bytes(AttrAddressErrorCode, []byte{familyIPv6, 0, 4, 40})
	}
}
