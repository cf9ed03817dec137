// Package host drives the TURN client machine over real sockets. The machine is
// the WebAssembly module under wazero or the same code compiled natively; the
// sockets, timers and this API are the same over both.
//
//	rt, err := host.New(ctx)
//	defer rt.Close()
//	conn, err := rt.Dial(ctx, host.Config{
//		URL: "turn:turn.example.org", Username: "alice", Password: "secret",
//	})
//	defer conn.Close()                      // releases the allocation, and waits for the verdict
//	fmt.Println(conn.LocalAddr())           // the relayed transport address
//	conn.WriteTo([]byte("hello"), peer)     // makes the permission by itself
//	n, from, err := conn.ReadFrom(buf)
//
// # A Conn is a net.PacketConn
//
// LocalAddr is the relayed transport address, the one that peers send to. Local
// is the socket's. Deadlines answer os.ErrDeadlineExceeded, a closed Conn
// answers net.ErrClosed, both inside a *net.OpError.
//
// WriteTo to a peer without a permission asks for one and queues the payload
// meanwhile (Config.NoAutoPermission: it answers client.ErrNoPermission
// instead). It never binds a channel; BindChannel does, and then every payload
// to and from that peer costs 4 bytes of header instead of 36. What ReadFrom
// has not taken waits in a bounded queue; when that is full, what comes is
// dropped and counted, as a socket does.
//
// # Many packets
//
// A system call costs ten times what all the rest of a packet does, so the
// kernel is asked once for many of them wherever that is possible.
//
// ReadBatch and WriteBatch move Messages: payloads, or runs of equal ones packed
// back to back, which on Linux are one call to the kernel and one to the
// machine. Unlike payloads go together too.
//
//	n, err := conn.WriteBatch([]host.Message{{Buffer: frame, Peer: peer, Segment: 1200}})
//
// WriteTo gains from this by itself. A lone write goes out before it returns, on
// the caller's goroutine. Payloads that are written while another goroutine
// sends, and those of a tight loop, wait for a moment and go out together. The
// queue is bounded: a full one makes WriteTo wait, up to the write deadline.
// What becomes of a payload that waited is the error of a later write, once; a
// Close sends it before the release. Payloads of one goroutine stay in order.
//
// ReadFrom and ReadBatch read the socket themselves, so a payload wakes nobody
// but who wants it. While nobody reads, a goroutine of the Conn's does, and keeps
// payloads in the queue: refreshes, commands and Close need no reader.
//
// # Closing
//
// Close releases the allocation and waits for the server's verdict, at most
// Config.Linger. It is nil when the server said that the allocation is gone or
// none can exist; otherwise it is a *CloseError that says what is known and
// until when the server may hold the allocation. CloseWith chooses the linger
// and answers the verdict itself; a linger of 0 sends one datagram and goes.
// Both may be called from any goroutine, at any time and more than once: all of
// them get the same verdict. Readers and writers get net.ErrClosed at once.
//
// A Dial whose context ends returns at once. The release of what it began goes
// on in the background of the Runtime, and Runtime.Close waits for it. So a
// program releases on a signal when it returns from main instead of exiting:
//
//	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
//	defer stop()
//	rt, err := host.New(ctx)
//	defer rt.Close()
//	conn, err := rt.Dial(ctx, cfg)
//	defer conn.Close()
//	context.AfterFunc(ctx, func() { conn.Close() }) // unblocks ReadFrom
//
// # Steps of a Dial
//
// Dial is Open and Allocate. Open makes the socket and the client and sends
// nothing, so that Events, CloseAt and a trace are in place before the first
// datagram. A Conn from Open must be closed, also when Allocate failed; Dial
// does so by itself.
//
// Where the server holds another allocation on the 5-tuple (437), Allocate
// takes another local port, three in all, and then leaves the server alone for
// two minutes: a Dial in that time fails at once. With a port in
// Config.LocalAddr the port is taken as the caller's own: what an earlier run
// left there is released first (Config.NoReclaim: not). After 486 and 508 the
// server is left alone for a minute.
//
// # Another process goes on
//
// HandOver ends a Conn without a release and answers its allocation as bytes,
// sealed with a key of the caller's; Runtime.Restore, in this process or another,
// goes on with it from the same local port: the relayed address, permissions and
// channels are what they were, requests in flight are sent again when they would
// have been. Snapshot is for processes that may be killed: the Conn goes on, and
// what it does after the snapshot the snapshot does not know.
//
//	sealed, err := conn.HandOver(key)
//	...
//	conn, err := rt.Restore(ctx, sealed, key, host.Config{})
//
// Both are for UDP: an allocation over TCP, TLS or DTLS ends with its session.
//
// # TCP through the relay
//
// With Config.RelayTCP the relayed address relays TCP connections (RFC 6062):
// Conn.DialTCP connects to a peer from there, and Conn.ListenTCP accepts those
// that peers with a permission make to it. Each is a net.Conn with a connection
// of its own to the server. HTTP goes over it:
//
//	conn.CreatePermission(ctx, peer)
//	listener, err := conn.ListenTCP()
//	http.Serve(listener, handler) // at http:// and conn.Relayed()
//
// # Instances
//
// One instance of the engine holds many clients, and does one thing at a time.
// Clients are spread over as many as there are processors (WithInstances).
// WithClientsPerInstance(1) gives each Conn one of its own. An instance that
// traps is never called again: each of its Conns ends with Closed{Reason:
// "trapped"}, after its parting datagram (the signed Refresh with LIFETIME 0
// that was kept for this) went out on its socket. Other instances and new Dials
// are untouched.
//
// # Secrets
//
// No password and no key is in any log, error, event or trace. A trace holds
// what went over the wire, so the username and nonces are in it; they are not
// in logs and errors. A snapshot holds the password, and is sealed.
package host
