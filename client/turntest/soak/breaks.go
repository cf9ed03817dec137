package main

// bug is a named mistake: in File, under the module's root, Old becomes New.
// Old stands there exactly once, which a test checks, so that a bug cannot rot.
type bug struct {
	Name, What string
	File       string
	Old, New   string
}

// bugs are planted one at a time by -break NAME; the rules must find each.
// Every one of them is a slip that compiles and passes a demonstration.
var bugs = []bug{
	{
		Name: "wildcard-timer-cancel", What: "an answer ends every request of its kind, not its own alone",
		File: "client/response.go",
		Old:  "\tc.remove(tx)\n\tif m.unknown {",
		New:  "\tc.dropRequests(tx.purpose)\n\tif m.unknown {",
	},
	{
		Name: "release-not-resigned", What: "438 renews every request but the release",
		File: "client/response.go",
		Old:  "return tx.signer != nil && len(tx.elders) < maxResigned && len(ch.nonce) > 0 &&",
		New:  "return tx.signer != nil && tx.purpose != forRelease && len(tx.elders) < maxResigned && len(ch.nonce) > 0 &&",
	},
	{
		Name: "pipelined-release", What: "Close sends the release beside the signed Allocate in flight",
		File: "client/close.go",
		Old:  "\tcase c.inFlight(forAllocate) != nil:\n",
		New:  "\tcase c.inFlight(forAllocate) != nil && !c.lease.signed:\n",
	},
	{
		Name: "late-success-ignored", What: "an Allocate that was given up is forgotten, with what it may still make",
		File: "client/allocate.go",
		Old:  "\tc.forgo(tx)\n\tc.settleRefused(tx, v)\n",
		New:  "\tc.settleRefused(tx, v)\n",
	},
	{
		Name: "new-id-on-resend", What: "a resend is built anew, under a transaction ID of its own",
		File: "client/transaction.go",
		Old:  "\t\t\tc.send(now, tx)\n",
		New:  "\t\t\tc.sendFirst(now, tx)\n",
	},
	{
		Name: "unsigned-error-trusted", What: "an unsigned error to a signed request counts at once",
		File: "client/response.go",
		Old:  "c.hold(tx, v)\n",
		New:  "c.end(now, tx, v)\n",
	},
	{
		Name: "data-before-permission", What: "data goes out as soon as the permission is asked for",
		File: "client/data.go",
		Old:  "if !p.good(now) || !c.serving() {",
		New:  "if !p.has(now) || !c.serving() {",
	},
	{
		Name: "quarantine-skipped", What: "a channel that is let go forgets its peer at once",
		File: "client/channel.go",
		Old:  "\tch.wanted, ch.told = false, false\n\tc.rearm()",
		New:  "\tch.wanted, ch.told, ch.peer = false, false, netip.AddrPort{}\n\tc.rearm()",
	},
	{
		Name: "deadline-in-the-past", What: "the instant of a refresh stays while its Refresh is in flight",
		File: "client/refresh.go",
		Old:  "\t\tc.alloc.refreshAt = 0\n\t\tc.startRefresh(now)\n",
		New:  "\t\tc.startRefresh(now)\n",
	},
	{
		Name: "refresh-not-waited-for", What: "Close waits for the probe in flight, and not for the Refresh",
		File: "client/close.go",
		Old:  "\tcase c.inFlight(forRefresh, forProbe, forMove) != nil:\n",
		New:  "\tcase c.inFlight(forProbe, forMove) != nil:\n",
	},
	{
		Name: "old-ticket", What: "the ticket of the move's answer is not kept",
		File: "client/rebind.go",
		Old:  "\tc.mobile.adrift, c.mobile.ticket = false, nil // \"it MUST use the new ticket\"\n\tc.storeTicket(signer, m)\n",
		New:  "\tc.mobile.adrift = false\n",
	},
	{
		Name: "data-during-the-move", What: "data goes out on the new flow before the server has answered",
		File: "client/mobility.go",
		Old:  "return c.phase == PhaseAllocated && !c.moving()",
		New:  "return c.phase == PhaseAllocated && (!c.moving() || c.mobile.adrift)",
	},
	{
		Name: "password-not-renewed", What: "a new password waits for the next allocation, like a new username",
		File: "client/credentials.go",
		Old:  "\t\tc.setSigner(newCredentialUnder(c.auth.signer.terms(), who, c.auth.signer.realm))\n",
		New:  "",
	},
	{
		Name: "unsigned-437-is-released", What: "a 437 to the release that nobody signed is the server's verdict",
		File: "client/release.go",
		Old:  "if mismatch && (v.signed || tx.signer == nil && c.auth.signer == nil) {",
		New:  "if mismatch {",
	},
	{
		Name: "bid-down-obeyed", What: "a challenge that asks for less than the one before is answered",
		File: "client/terms.go",
		Old:  "case signer != nil && t.algorithm < signer.terms().algorithm:",
		New:  "case signer != nil && false:",
	},
	{
		Name: "header-in-parts-is-lost", What: "of a message that a stream brings in parts the first bytes are forgotten",
		File: "client/stream.go",
		Old:  "\tif len(c.framing.part) == 0 {",
		New:  "\tif len(c.framing.part) < channelHeader {",
	},
	{
		Name: "no-padding", What: "ChannelData is not padded on a stream",
		File: "client/data.go",
		Old:  "\tif c.Stream() {\n\t\tpadded",
		New:  "\tif c.Stream() && false {\n\t\tpadded",
	},
	{
		Name: "stream-closed-without-release", What: "Close with linger 0 leaves it to the stream's end to free the allocation",
		File: "client/close.go",
		Old:  "\tc.releaseBlindly(now)\n\tc.closed(now, Unconfirmed, \"linger 0\")",
		New:  "\tif !c.Stream() {\n\t\tc.releaseBlindly(now)\n\t}\n\tc.closed(now, Unconfirmed, \"linger 0\")",
	},
	{
		Name: "stream-that-ended-is-used", What: "Reallocate allocates on the stream that has ended",
		File: "client/refresh.go",
		Old:  "\t\tc.awaitFlow(Event{Kind: FlowNeeded, Until: c.owed(now)})\n",
		New:  "\t\tc.startAllocate(now)\n",
	},
	{
		Name: "resent-on-a-stream", What: "requests are sent again over a stream",
		File: "client/config.go",
		Old:  "\tif s.transport == TransportStream {",
		New:  "\tif false {",
	},
}
