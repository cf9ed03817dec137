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
package client
