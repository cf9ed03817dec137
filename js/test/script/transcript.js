// The hash of everything that came out of a script: of whom, when, what, and its
// bytes. Events are written as records again, so that every field that was read
// of them counts.

import { sha256 } from '@noble/hashes/sha2.js'
import * as abi from '../../src/abi.gen.js'
import { parseIP } from '../../src/address.js'
import { RecordWriter } from '../../src/record.js'
import { hex } from './go.js'

export class Transcript {
	#hash = sha256.create()

	get sum() {
		return hex(this.#hash.digest())
	}

	/**
	 * @param {number} client
	 * @param {number} now in ns
	 * @param {number} kind
	 * @param {...Uint8Array} parts
	 */
	record(client, now, kind, ...parts) {
		const head = new DataView(new ArrayBuffer(16))
		head.setBigUint64(0, BigInt(now), true)
		head.setUint32(8, client, true)
		head.setUint8(12, kind)
		this.#hash.update(new Uint8Array(head.buffer))
		for (const p of parts) {
			const length = new DataView(new ArrayBuffer(8))
			length.setBigUint64(0, BigInt(p.length), true)
			this.#hash.update(new Uint8Array(length.buffer)).update(p)
		}
	}
}

/**
 * The record of an event.
 * @param {Partial<import('../../src/event.js').TurnEvent> & {event: string}} e
 */
export function eventRecord(e) {
	const into = new Uint8Array(4096)
	const r = new RecordWriter(into)
	r.u16(abi.ATTR_EVENT, abi.EVENTS.indexOf(e.event))
	if (e.method) r.u16(abi.ATTR_METHOD, /** @type {number} */ ([...abi.METHODS].find(([, name]) => name === e.method)?.[0]))
	if (e.code) r.u32(abi.ATTR_CODE, e.code)
	if (e.reason) r.text(abi.ATTR_REASON, e.reason)
	if (e.serverName) r.text(abi.ATTR_SERVER_NAME, e.serverName)
	if (e.signed) r.flag(abi.ATTR_SIGNED)
	if (e.outcome) r.u8(abi.ATTR_OUTCOME, abi.OUTCOMES.indexOf(e.outcome))
	writeAddresses(r, e)
	if (e.lifetime) r.ms(abi.ATTR_LIFETIME, e.lifetime)
	if (e.retryAfter) r.ms(abi.ATTR_RETRY_AFTER, e.retryAfter)
	if (e.reuseAfter) r.ms(abi.ATTR_REUSE_AFTER, e.reuseAfter)
	if (e.until) r.ms(abi.ATTR_UNTIL, e.until)
	if (e.flow) r.u32(abi.ATTR_FLOW, e.flow)
	if (e.channel) r.u16(abi.ATTR_CHANNEL, e.channel)
	if (e.icmp) r.bytes(abi.ATTR_ICMP, Uint8Array.from([e.icmp.type, e.icmp.code, ...e.icmp.data]))
	if (e.reservationToken) r.bytes(abi.ATTR_RESERVATION_TOKEN, e.reservationToken)
	if (e.domain) r.text(abi.ATTR_DOMAIN, e.domain)
	if (e.family) r.u8(abi.ATTR_FAMILY, e.family === 4 ? 1 : 2)
	if (e.connection) r.u32(abi.ATTR_CONNECTION, e.connection)
	return into.subarray(0, r.length)
}

/**
 * @param {RecordWriter} r
 * @param {Partial<import('../../src/event.js').TurnEvent>} e
 */
function writeAddresses(r, e) {
	const all = /** @type {const} */ ([
		[abi.ATTR_PEER, e.peer], [abi.ATTR_RELAYED, e.relayedAddress], [abi.ATTR_MAPPED, e.mappedAddress], [abi.ATTR_ADDITIONAL, e.additionalAddress],
	])
	for (const [type, a] of all) {
		if (a) r.address(type, /** @type {Uint8Array} */ (parseIP(a.address)), a.port)
	}
}
