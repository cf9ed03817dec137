// Package abi is the boundary between the TURN client module and its hosts,
// written once: exports, layouts, record codec. Guest and Go host import it;
// the constants of every other host are generated from it.
//
// # One shared region
//
// The module has one region of linear memory that guest and host share. It
// never moves. turn_memory answers its address; it begins with a header that
// says where everything else is, as offsets from the region's start. All
// integers are little-endian, all offsets and lengths are in bytes.
//
//	header (128 bytes)
//	+0   u32 magic "TURN" (0x4E525554)    +4   u32 version (1)
//	+8   u32 size of the region           +12  u32 size of a descriptor (64)
//	+16  u32 control-in offset            +20  u32 control-in size
//	+24  u32 control-out offset           +28  u32 control-out size
//	+32  u32 in-descriptors offset        +36  u32 in-descriptors count
//	+40  u32 out-descriptors offset       +44  u32 out-descriptors count
//	+48  u32 arena offset                 +52  u32 arena size
//	+56  u32 headroom (64)                +60  u32 tailroom (4)
//	-- written by the guest in every call:
//	+64  f64 next deadline of all clients, in ms; +Inf = none
//	+72  u32 pending: 1 = turn_poll has something
//	+76  u32 consumed: in-descriptors that the last batch has done with
//	+80  u32 length of the last error's text; it lies at the start of control-out
//	+84  u32 clients alive
//	-- written by the guest at the start; a host may lower them:
//	+88  u32 most clients that turn_open lets live
//	+92  u32 most memory; when three quarters are in use, turn_open, commands
//	         that take more and payloads that would wait are refused; so is
//	         turn_open when it would not hold all clients at their peak. A host
//	         that gives the module less than its 512 MiB says so here
//	+96  .. 127 reserved, zero
//
// The host cuts the arena as it likes; payloads and received datagrams lie
// there. Offsets in descriptors are from the start of the region, so the same
// numbers mean the same everywhere; a descriptor that reaches outside the
// arena is an error code.
//
// # Descriptor (64 bytes)
//
//	+0  i32 client   handle
//	+4  u8  kind     see Kind
//	+5  u8  family   of the inline address: 0 none, 4, 6
//	+6  u16 port     of the inline address
//	+8  u32 flow
//	+12 u32 peer     peer number; 0 = the inline address
//	+16 u32 offset   of the first byte, from the region's start
//	+20 u32 length   of one packet (KindInput: of the whole coalesced datagram)
//	+24 u32 count    equal packets, >= 1 (KindInput: 0 or 1; see stride)
//	+28 u32 stride   from one packet's first byte to the next one's
//	                 (KindInput: segment size; 0 = one datagram)
//	+32 i32 status   0 or an error code, written by the guest
//	+36 u32 channel  KindData: channel number, 0 = Data indication
//	+40 16 bytes     inline address, network order, IPv4 in the first 4
//	+56 u64 tag      the host's own; the guest hands it back
//
// # Calls
//
// now is always an f64 in milliseconds on any monotonic clock of the host's.
// A negative i32 answer is an error code.
//
//	turn_abi_version() i32
//	turn_memory() i32                         address of the region
//	turn_open(now f64, n i32) i32             config record in control-in; a handle
//	turn_command(now f64, h, n i32) i32       command record in control-in; 0
//	turn_flow(now f64, h, flow, what i32) i32 FlowOpened, FlowClosed, PathError
//	turn_peer(h, n i32) i32                   PEER record in control-in; a peer number, from 1 on
//	turn_input(now f64, n i32) i32            n in-descriptors; number of out-descriptors
//	turn_send(now f64, n i32) i32             n in-descriptors; number of out-descriptors
//	turn_poll() i32                           number of out-descriptors, 0 = drained
//	turn_tick(now f64) f64                    does what is due, or some of it; the next deadline
//	turn_close(now f64, h i32, linger f64) i32
//	turn_state(h i32) i32                     state record in control-out; its length
//	turn_stats(h i32) i32                     u64 counters in control-out; its length
//	turn_parting(now f64, h i32) i32          number of out-descriptors: 1, or 0 when nothing is owed
//	turn_snapshot(now f64, h, offset, size i32) i32          snapshot in the arena; its length
//	turn_restore(now, elapsed f64, offset, n i32) i32        snapshot in the arena; a handle
//	turn_free(h i32) i32
//
// After turn_input, turn_send, turn_tick, turn_command, turn_flow, turn_close:
// read the out-descriptors that the call answered, then call turn_poll (while
// the header says pending) and read those, then arm one timer for the header's
// next deadline. Only the out-descriptors of the last call are good, and what
// they point at.
//
// A tick wakes 64 clients at most. When more are due the next deadline does not
// lie in the future: drain as ever, then call turn_tick again.
//
// An instant that is no time (negative, NaN, beyond 9e12) is CodeArgument, and
// NaN from turn_tick; nothing is done then. turn_open and turn_command wipe the
// record. turn_free wipes the client and loses what was not drained. After
// CodePanic the client is closed: what it has to say (its release, Closed with
// a reason that begins with "panic") comes with turn_poll, then turn_free.
//
// A handle is 18 bits of slot below 13 bits of generation. Slots are used again
// oldest first; a stale handle is known for one until its slot has been used
// 8191 times more.
//
// # Batches
//
// turn_input takes KindInput: a datagram as received, its source as the inline
// address; none says that the socket is connected and so brings nothing but the
// server's. Payloads answer with KindData: in the same place, the headers
// skipped, runs of equal segments as one descriptor with count and stride,
// unlike ones as single descriptors; the peer's number if it has one, the
// inline address in any case. What else the datagram causes is answered too,
// as by turn_poll.
//
// For a client whose TRANSPORT says stream, KindInput carries bytes of the
// stream as they were read, its stride is 0, and how they are cut makes no
// difference. Its KindTransmits are written to the stream in their order. A data
// connection of RELAY TCP is a flow of its own until CONNECTION_READY. What the
// call that brings that event was given behind the server's answer comes back
// as KindData with that flow: payload, as all that follows on the stream is,
// which is the host's from then on.
//
// turn_send takes KindSend: count payloads of length bytes, stride apart. The
// Headroom bytes in front of the first payload and the Tailroom bytes behind
// the last belong to the guest, and so does what lies between two payloads: at
// least 4 bytes. On a bound channel the answer is KindTransmit with the headers
// written in front of the payloads, in place (4 bytes each). Otherwise a Send
// indication is written around each: in place when it is alone or stride leaves
// room for it, else they are moved to control-out, and the arena's bytes are
// lost. A payload that waits for a permission is copied and answers nothing.
// An error stands in the in-descriptor's status, which then describes what of
// the run was not sent; the batch goes on.
//
// When the out-descriptors or control-out are full a batch stops early:
// consumed says how many in-descriptors are done, and the next one describes
// what is left of it. Ship what was answered, move the rest to the front and
// call again.
//
// turn_poll answers KindTransmit (datagrams in control-out), KindEvent (an
// event record in control-out), KindParting (the parting datagram that a host
// keeps and ships when the instance dies; length 0 = none any more; its tag is
// the instant, as f64 ms, to which the server may hold the allocation) and
// KindData (payloads of which the descriptor did not fit before, in
// control-out). Of one client all transmits come before its events. A tag comes
// back with what its in-descriptor caused at once; other tags are 0.
//
// # Snapshots
//
// turn_snapshot writes all that a client knows of its allocation to the size
// bytes of the arena at offset; CodeTooLarge when they do not do, CodeSnapshot
// when there is none to be had: no allocation, one that is being moved, a stream,
// or something to drain. It changes nothing. turn_restore makes a client of it,
// here or in another instance: elapsed is how many milliseconds ago, by a clock
// that both know, it was taken. The client is on the flow that its state names,
// which is to be open by then, and peer numbers are given anew. What became due
// meanwhile is done: drain. Bytes that are no snapshot are CodeSnapshot.
//
// A snapshot holds the password and keys. turn_restore wipes it, a host wipes
// what turn_snapshot wrote; whoever stores it seals it. Of the client before and
// the restored one only one may go on: the other is freed, without turn_close.
//
// # Records
//
// A record is a list of attributes: u16 type, u16 length of the value, the
// value, zeros to a multiple of 4. Unknown types are skipped; the first of
// duplicates counts unless the type is said to repeat. A command record begins
// with CMD, an event record with EVENT. See Attr for the types.
//
// # Worked examples
//
// A config record: server 192.0.2.1:3478, username "bob", RTO 500 ms.
//
//	10 00  08 00  04 00  96 0d  c0 00 02 01         SERVER, 8 bytes: IPv4, 0x0d96, the address
//	11 00  03 00  62 6f 62 00                       USERNAME, 3 bytes, padded to 4
//	17 00  08 00  00 00 00 00 00 40 7f 40           RTO, 500.0
//
// A descriptor: 54 datagrams of 1204 bytes, back to back from offset 0x23040,
// for client 0x40005 to ship on flow 3 to [2001:db8:1234:5678:11:2233:4455:6677]:443.
//
//	05 00 04 00  03 06 bb 01  03 00 00 00  00 00 00 00   client, kind, family, port, flow, peer
//	40 30 02 00  b4 04 00 00  36 00 00 00  b4 04 00 00   offset, length, count, stride
//	00 00 00 00  00 00 00 00                             status, channel
//	20 01 0d b8 12 34 56 78 00 11 22 33 44 55 66 77      address
//	00 00 00 00  00 00 00 00                             tag
//
// More bytes to test a host against stand in testdata/golden.txt.
//
// # What may change
//
// Version 1 is frozen by its golden bytes. New attribute types, new event
// numbers, new error codes, new kinds in answers to new commands, new exports
// and the use of reserved header bytes are additions and keep the version.
// Anything that changes the meaning of bytes that exist makes version 2.
package abi
