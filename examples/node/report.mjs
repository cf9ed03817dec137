// Says what happens: to people, or with -json to programs.

export class Report {
	bad = false
	/** What is yet to be told. */
	options = []
	now = false

	constructor({ json }) {
		this.json = json
	}

	/** Prints one event: the record with -json, otherwise the text. */
	line(record, text) {
		console.log(this.json ? JSON.stringify(record) : text)
	}

	allocated(socket, took) {
		if (this.options.some(([r]) => r.event === 'redirected')) this.tellOptions(false)
		const relayed = spell(socket.relayedAddress)
		const mapped = spell(socket.mappedAddress)
		const lifetime = socket.lifetime / 1000
		this.line(
			{ event: 'allocated', relayed, mapped, lifetime, ms: ms(took) },
			`allocated  ${relayed} for ${lifetime}s in ${took.toFixed(1)} ms (we are ${mapped} to the server ${spell(socket.server)}, ${spell(socket.localAddress)} locally)`,
		)
	}

	/** What came of what few ask for is told at the close; of a redirect before the allocation. */
	option(e) {
		const told = optionOf(e)
		if (!told) return
		this.options.push(told)
		if (this.now) this.tellOptions(true)
	}

	/** Tells of what came, and, if now, of what comes the moment it does. */
	tellOptions(now) {
		this.now = now
		for (const [record, text] of this.options.splice(0)) this.line(record, text)
	}

	/** The way to the server, where something was measured. */
	path(socket) {
		if (!socket.roundTrip) return
		const { smoothed, variation, rto } = socket.roundTrip
		const resent = socket.stats.retransmissions
		this.line(
			{ event: 'path', roundTripMs: ms(smoothed), variationMs: ms(variation), rtoMs: ms(rto), resent },
			`path       ${smoothed.toFixed(2)} ms to the server and back (varies by ${variation.toFixed(2)} ms); RTO ${ms(rto)}ms, ${resent} requests sent again`,
		)
	}

	moved(socket, kept, took) {
		const [relayed, local] = [spell(socket.relayedAddress), spell(socket.localAddress)]
		this.line(
			{ event: 'moved', relayed, local, kept, ms: ms(took) },
			`moved      to ${local} locally in ${took.toFixed(1)} ms; the relayed address is ${relayed}`,
		)
	}

	echoed(sent, rtts) {
		const rttMs = { p50: ms(percentile(rtts, 50)), p99: ms(percentile(rtts, 99)) }
		this.line(
			{ event: 'echoed', sent, received: rtts.length, rttMs },
			`echoed     ${rtts.length} of ${sent}; round trip ${rttMs.p50.toFixed(2)} ms (p50), ${rttMs.p99.toFixed(2)} ms (p99)`,
		)
	}

	failed(e) {
		this.bad = true
		const { method = '', code = 0, signed = false, until, message } = e
		const reason = method ? e.reason : message
		this.line({ event: 'failed', method, code: method ? code : 0, reason, signed, until: instant(until) }, `failed     ${message}`)
	}

	/** What may be left on the server is a failure. */
	closed({ outcome, reason, reuseAfter, until }, took) {
		this.bad ||= outcome !== 'released' && outcome !== 'nothing_to_release'
		let text = `closed     ${outcome} in ${took.toFixed(1)} ms`
		if (reason) text += `: ${reason}`
		if (until) text += `; the server may hold the allocation until ${instant(until)}`
		else if (reuseAfter > 0) text += `; the local port should rest for ${reuseAfter / 1000}s`
		this.line({ event: 'closed', outcome, reason, reuseAfterMs: Math.floor(reuseAfter), until: instant(until), ms: ms(took) }, text)
	}
}

/** The record of an event, and its text. */
function optionOf(e) {
	const { code, reason, family } = e
	switch (e.event) {
		case 'portReserved': {
			const reservation = Buffer.from(e.reservationToken).toString('hex')
			const until = instant(e.until)
			return [{ event: 'reserved', code: 0, reason: '', reservation, until }, `reserved   the next port for -reservation ${reservation} until ${until}`]
		}
		case 'redirected':
			return [
				{ event: 'redirected', code: 0, reason: '', server: spell(e.peer), ...(e.signed ? { signed: true } : {}) },
				`redirected to ${spell(e.peer)} (300, signed: ${e.signed})`,
			]
		case 'optionRefused':
			return [{ event: 'refused', code, reason }, `refused    ${code} ${reason}: allocated without what was asked for`]
		case 'addressRefused':
			return [{ event: 'refused', code, reason, family }, `refused    an IPv${family} address: ${code} ${reason}`]
	}
	return undefined
}

const spell = (a) => (a.address.includes(':') ? `[${a.address}]:${a.port}` : `${a.address}:${a.port}`)

/** RFC 3339; empty for none. */
const instant = (date) => date?.toISOString().replace(/\.\d+/, '') ?? ''

const ms = (n) => Math.floor(n * 1000) / 1000

/** Percentile p of the round trips, by nearest rank. */
function percentile(rtts, p) {
	if (rtts.length === 0) return 0
	const sorted = rtts.toSorted((a, b) => a - b)
	return sorted[Math.max(0, Math.ceil((sorted.length * p) / 100) - 1)]
}
