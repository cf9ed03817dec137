// Package bridge lets a page speak TURN: it takes WebTransport sessions and
// gives each of them one UDP socket to one of the configured TURN servers. The
// TURN client is in the page; the bridge carries its datagrams and understands
// one of them alone, the parting datagram.
//
// It is no open proxy: servers and origins are on lists, sessions, packets and
// bytes are counted, and when a session has died its socket sends nothing but
// the release that the page left with the bridge.
//
// # The protocol, version 1
//
// All integers are in network order.
//
// A page opens
//
//	https://BRIDGE/turn/1?server=turn:HOST:PORT&token=TOKEN
//
// server is the TURN URI (RFC 7065; percent-encoded) of a server on the
// bridge's list; it can be left out where the list holds one. token is the
// bearer token, if the bridge wants one; a client that can set headers sends
// "Authorization: Bearer TOKEN" instead. A QUIC connection carries one session.
//
// A session is one UDP socket, connected to that server: one flow of the
// machine's, whose input has no source address, for it brings nothing but the
// server's. The server's address for the machine's configuration stands in the
// WELCOME. When the machine asks for another flow (NeedNewPort, FlowNeeded)
// the page opens another session and closes the old one after that, so that
// the same local port cannot come back; a new session, and not a message, for
// otherwise datagrams of the old flow could arrive on the new one.
//
// # Packets
//
// A datagram of the session is a datagram of the socket's, both ways, as it is:
// a STUN message or ChannelData. Others, and those beyond the limits, are
// dropped and counted.
//
// The bridge opens two bidirectional streams as soon as the session stands. The
// first byte that it sends on each names it. The page opens no stream: one that
// does is closed with CodeProtocol.
//
//	'P'  packets: those that are larger than a datagram of the session's
//	'C'  control
//
// A stream is there for the session's life. On the packet stream, both ways:
//
//	u16 length, then that many bytes: one packet
//
// The bridge drops what it cannot write to the stream soon, as a network would;
// so should the page (desiredSize).
//
// # Limits
//
// A session counts, in all and by address, until its socket is closed. Packets
// beyond the rates of the WELCOME are dropped, both ways; a page that does not
// stop is ended (CodeFlood). So is one that sends no packet soon after it has
// opened its session (15 s, unless configured otherwise: open it when there is
// something to send), or none for idleMs (CodeIdle). Control frames count as
// packets and are not dropped.
//
// # Control
//
// Both ways:
//
//	u8 type, u16 length, then the value
//
// Unknown types are skipped. From the bridge:
//
//	1 WELCOME          JSON, the first frame: {"server":"192.0.2.1:3478", "idleMs":..,
//	                   "packetsPerSecond":.., "bytesPerSecond":.., "depositBytes":..}
//	2 DEPOSITED        answers a DEPOSIT, in order; no value
//	3 DEPOSIT_REFUSED  answers a DEPOSIT, in order: the reason, a text; the
//	                   deposit before stays
//	4 PATH_ERROR       the path to the server answered with an ICMP error; no value
//	5 GOING_AWAY       u32 milliseconds: the bridge stops, release and close
//	                   the session before
//
// From the page:
//
//	1 DEPOSIT          u32 milliseconds, then the parting datagram; without a
//	                   value: nothing is owed any more
//
// # The deposit
//
// The machine says PartingChanged (KindParting) whenever the one signed
// Refresh(LIFETIME=0) that a close would send has changed. The page deposits
// each at once, before it sends the datagrams that came with it, for it may be
// dead a moment later; the newest counts. The milliseconds say how long from now the
// server may hold the allocation; after them the deposit is void.
//
// When the session is over, whatever ended it (a closed tab, a killed process,
// silence, the page's own close, the bridge's shutdown), the bridge sends the
// deposit from the session's socket, up to five times, until the server has
// answered it, and then closes the socket. A proper goodbye is a withdrawal: a
// page that has released deposits nothing (the machine says so with a parting
// of length 0), waits for its DEPOSITED, and then closes the session; a close
// throws away what is still on its way. A withdrawal that is lost harms nobody:
// the allocation is gone already.
//
// A deposit is a well-formed STUN Refresh request with one LIFETIME, 0, of at
// most MaxDeposit bytes. Nothing else can be sent after the session's end.
//
// # Refusals
//
// A browser shows a page no status of the CONNECT, and so a page that may know
// why gets its session and then its end, with a code and a reason
// (WebTransport.closed). Statuses are for the others:
//
//	403  the origin is not on the list
//	404  not the path of this protocol
//	405  not a WebTransport CONNECT
//	421  a second session on one QUIC connection
//
// The codes of a session's end are the constants Code..., HTTP's numbers where
// HTTP has one. A client that does not close its connection after that has it
// closed a second later, with the same code and reason. Each refusal is counted
// by its reason; see the metrics.
package bridge
