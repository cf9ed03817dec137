package client

// Stats counts. Everything that is ignored is counted, by its cause.
type Stats struct {
	SentMessages, SentBytes         uint64 // to the server, data included
	ReceivedMessages, ReceivedBytes uint64 // from anywhere, ignored ones included
	Retransmissions                 uint64
	PayloadsSent, PayloadsReceived  uint64

	IgnoredClosed      uint64 // input after Closed
	IgnoredFlow        uint64 // from a flow that is not ours
	IgnoredSource      uint64 // from an address that is not the server's
	IgnoredMalformed   uint64 // neither STUN nor ChannelData, or broken
	IgnoredUnexpected  uint64 // a request to us, an unknown method or class, a ConnectionAttempt twice or beyond the bound
	IgnoredTransaction uint64 // unknown transaction ID or late duplicate
	IgnoredIntegrity   uint64 // MESSAGE-INTEGRITY missing where it is due, or wrong
	IgnoredFingerprint uint64 // FINGERPRINT present and wrong
	IgnoredAttribute   uint64 // unknown comprehension-required attribute
	IgnoredChannel     uint64 // ChannelData on a number that is not ours
	IgnoredPeer        uint64 // data from a peer without permission
	HeldErrors         uint64 // unsigned errors to signed requests that were held
	PayloadsDropped    uint64 // queued and given up
}

// counters are its fields.
func (s *Stats) counters() [20]*uint64 {
	return [...]*uint64{
		&s.SentMessages, &s.SentBytes, &s.ReceivedMessages, &s.ReceivedBytes, &s.Retransmissions,
		&s.PayloadsSent, &s.PayloadsReceived, &s.IgnoredClosed, &s.IgnoredFlow, &s.IgnoredSource,
		&s.IgnoredMalformed, &s.IgnoredUnexpected, &s.IgnoredTransaction, &s.IgnoredIntegrity,
		&s.IgnoredFingerprint, &s.IgnoredAttribute, &s.IgnoredChannel, &s.IgnoredPeer, &s.HeldErrors, &s.PayloadsDropped,
	}
}
