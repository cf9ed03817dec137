// Package client is a TURN client (RFC 8656) as a sans-IO state machine: no
// sockets, no clocks, no goroutines, no hidden randomness. Bytes and the time
// go in; bytes, events and the next deadline come out.
//
// # How to drive it
//
//	c, err := client.New(client.Config{Server: server, Username: u, Password: p, Rand: rand.Reader})
//	c.Allocate(now())
//	for {
//		for t, ok := c.PollTransmit(); ok; t, ok = c.PollTransmit() {
//			conn.WriteTo(t.Data, t.To) // on the socket of t.Flow
//		}
//		for e, ok := c.PollEvent(); ok; e, ok = c.PollEvent() {
//			... // Closed is the last one
//		}
//		at, ok := c.PollTimeout()
//		... // wait for a datagram, a command, or the instant at
//		c.HandleInput(now(), flow, from, datagram) // or
//		c.HandleTimeout(now())
//	}
//
// The drain rule: after every HandleX, FlowX, PathError and command, poll
// PollTransmit and PollEvent until both are empty, then ask PollTimeout and arm
// one timer. Nothing happens between calls. The slices that they hand out are
// good until the next call that is not a Poll.
//
// The time, now, is a duration since an instant of the caller's choosing. It is
// monotonic; a smaller one than before is taken as the one before. Instants
// that come out (PollTimeout, Event.Until) count from the same one.
//
// A flow is one 5-tuple that the caller owns. Flow 0 is the first control path.
// When the machine needs another it says so by an event that carries its
// number; FlowOpened and FlowClosed answer it.
//
// A connection through a TCP allocation (RelayTCP) has a flow of its own beside
// the control connection's. FlowNeeded asks for it, and what it brings goes into
// HandleStream until ConnectionReady has told of it: from then on it is the
// caller's own, and carries payload.
//
// A Client is not safe for concurrent use. It holds no resources but memory:
// one that is dropped without a Close leaves its allocation on the server.
//
// # Closing
//
// Close is legal in every phase. With linger 0 it emits at most one datagram
// and the Closed event in the drain that follows, and nothing ever after. With
// a linger the release is a transaction with its retransmissions, and Closed
// comes when the server's verdict does, at the latest after the linger. Closed
// says what the close came to: see Outcome. Parting is for those who cannot
// close: the one signed Refresh(LIFETIME=0) that a close would send.
//
// # Deviations
//
// PROTOCOL.md lists what the machine obeys, row by row. Where it does not do
// what an RFC says:
//
//   - "If the request was sent over an unreliable transport, the response MUST
//     be discarded, as if it had never been received." (RFC 8489 section 9.2.5)
//     An error without MESSAGE-INTEGRITY, to a signed request, is held instead:
//     it takes effect if no valid answer comes within one further
//     retransmission, and its event says that it is unsigned. Servers send most
//     errors so: to drop them stalls every failure for 39.5 s, to obey them at
//     once lets one forged packet end a client.
//   - "If the response is an error response with an error code of 400 (Bad
//     Request) and does not contain either the MESSAGE-INTEGRITY or
//     MESSAGE-INTEGRITY-SHA256 attribute, then the response MUST be discarded,
//     as if it were never received." (9.2.5) It is held likewise, and so is a
//     401 to credentials that were sent: a wrong password is answered by either.
//   - "If the request was sent over a reliable transport, the response MUST be
//     discarded, and the layer MUST immediately end the transaction" (9.2.5): not
//     the success of a ConnectionBind without MESSAGE-INTEGRITY, where
//     Config.UnsignedBind says so. Servers are in the field that sign all but that.
//   - "the client MUST retry the request, using the new NONCE attribute supplied
//     in the 438 (Stale Nonce) response" (9.2.5): at most 3 times a request.
//   - "the request MUST contain a PASSWORD-ALGORITHM attribute with the first
//     algorithm supported on the list" (9.2.5): SHA-256 wherever it is listed.
//   - "If the response contains a PASSWORD-ALGORITHMS attribute, all the
//     subsequent requests MUST be authenticated using MESSAGE-INTEGRITY-SHA256
//     only." (9.2.5) A 438 is never signed: to a server that has signed by
//     MESSAGE-INTEGRITY it brings its nonce alone, and the next Allocate's
//     challenge the list.
//   - "the allocation no longer exists and it should consider its request as
//     having effectively succeeded" (RFC 8656 section 8.3, of 437 to a deletion):
//     not where the 437 is unsigned and the request was signed.
//   - "A STUN transaction over UDP or DTLS-over-UDP is also considered failed if
//     there has been a hard ICMP error [RFC1122]." (RFC 8489 section 6.2.1) A
//     release goes on.
//   - "The value for RTO SHOULD be cached by a client after the completion of the
//     transaction and used as the starting value for RTO for the next transaction
//     to the same server" (6.2.1): the measured round trips are, the doubling for
//     what was sent again is not. Where every request is sent again nothing is
//     measured, then: a path slower than Config.RTO wants a larger one.
//   - "The client SHOULD include the SOFTWARE attribute in all Allocate and
//     Refresh requests" (RFC 8656 section 5): only where Config.Software is set.
package client
