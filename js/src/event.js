// Events and states, as records tell them.

import {
	ATTR_ADDITIONAL, ATTR_CHANNEL, ATTR_CODE, ATTR_CONNECTION, ATTR_DOMAIN, ATTR_EVENT, ATTR_FAMILY, ATTR_FLOW, ATTR_ICMP, ATTR_LIFETIME, ATTR_MAPPED, ATTR_METHOD, ATTR_OUTCOME,
	ATTR_PEER, ATTR_PHASE, ATTR_REASON, ATTR_RELAYED, ATTR_RESERVATION_TOKEN, ATTR_RETRY_AFTER, ATTR_REUSE_AFTER, ATTR_ROUND_TRIP, ATTR_RTO, ATTR_SERVER_NAME, ATTR_SIGNED, ATTR_UNTIL,
	ATTR_WAKE_AT, ATTR_WAKE_WHY, EVENTS, METHODS, OUTCOMES, PHASES, STATS,
} from './abi.gen.js'
import { readRecord } from './record.js'

/** @typedef {import('./address.js').Address} Address */
/** @typedef {'released' | 'nothing_to_release' | 'unconfirmed' | 'abandoned'} Outcome */
/** @typedef {'new' | 'allocating' | 'authenticated' | 'allocated' | 'closing' | 'closed'} Phase */

/**
 * What happened to a client. Which fields are set depends on the event; package client's EventKind says so, under the
 * same names. Times are in ms; `until` is an instant on the clock that `now` comes from, 0 = none.
 * @typedef {object} TurnEvent
 * @property {string} event "allocated", "allocateFailed", "closed", ...; "" for one that this host does not know
 * @property {string} method the request that failed
 * @property {number} code STUN error code; 0 = none
 * @property {string} reason
 * @property {string} serverName for which the server takes access tokens
 * @property {boolean} signed
 * @property {Outcome} [outcome]
 * @property {number} flow
 * @property {number} channel
 * @property {number} connection CONNECTION-ID of RFC 6062; 0 = none
 * @property {Address} [peer]
 * @property {Address} [relayedAddress]
 * @property {Address} [mappedAddress]
 * @property {Address} [additionalAddress] the relayed address of the other family
 * @property {4 | 6} [family] that the server did not give
 * @property {string} domain to whom the other server's certificate belongs
 * @property {Uint8Array} [reservationToken] 8 bytes
 * @property {{type: number, code: number, data: Uint8Array}} [icmp]
 * @property {number} lifetime
 * @property {number} retryAfter
 * @property {number} reuseAfter
 * @property {number} until
 */

/**
 * @param {Uint8Array} record
 * @returns {TurnEvent}
 */
export function readEvent(record) {
	const a = readRecord(record)
	return {
		event: EVENTS[a.get(ATTR_EVENT)?.u16 ?? 0] ?? '',
		method: METHODS.get(a.get(ATTR_METHOD)?.u16 ?? 0) ?? '',
		code: a.get(ATTR_CODE)?.u32 ?? 0,
		reason: a.get(ATTR_REASON)?.text ?? '',
		serverName: a.get(ATTR_SERVER_NAME)?.text ?? '',
		signed: a.has(ATTR_SIGNED),
		outcome: /** @type {Outcome | undefined} */ (OUTCOMES[a.get(ATTR_OUTCOME)?.u8 ?? 0] || undefined),
		flow: a.get(ATTR_FLOW)?.u32 ?? 0,
		channel: a.get(ATTR_CHANNEL)?.u16 ?? 0,
		connection: a.get(ATTR_CONNECTION)?.u32 ?? 0,
		peer: a.get(ATTR_PEER)?.address,
		relayedAddress: a.get(ATTR_RELAYED)?.address,
		mappedAddress: a.get(ATTR_MAPPED)?.address,
		additionalAddress: a.get(ATTR_ADDITIONAL)?.address,
		family: /** @type {const} */ ([undefined, 4, 6])[a.get(ATTR_FAMILY)?.u8 ?? 0],
		domain: a.get(ATTR_DOMAIN)?.text ?? '',
		reservationToken: a.get(ATTR_RESERVATION_TOKEN)?.value.slice(),
		icmp: readICMP(a.get(ATTR_ICMP)?.value),
		lifetime: a.get(ATTR_LIFETIME)?.ms ?? 0,
		retryAfter: a.get(ATTR_RETRY_AFTER)?.ms ?? 0,
		reuseAfter: a.get(ATTR_REUSE_AFTER)?.ms ?? 0,
		until: a.get(ATTR_UNTIL)?.ms ?? 0,
	}
}

/** @param {Uint8Array | undefined} v */
const readICMP = (v) => v && { type: v[0], code: v[1], data: v.slice(2) }

/** @param {Uint8Array | undefined} v */
function readRoundTrip(v) {
	if (!v || v.length !== 16) return undefined
	const view = new DataView(v.buffer, v.byteOffset, v.byteLength)
	return { smoothed: view.getFloat64(0, true), variation: view.getFloat64(8, true) }
}

/**
 * What a client is doing.
 * @typedef {object} TurnState
 * @property {Phase} phase
 * @property {Address} [relayedAddress]
 * @property {Address} [additionalAddress] of the other family
 * @property {Address} [mappedAddress]
 * @property {number} lifetime in ms
 * @property {number} [wakeAt] its next deadline, an instant in ms
 * @property {string} [wakeWhy] what that is for
 * @property {number} flow on which it talks to the server
 * @property {number} rto the retransmission time-out of the next request, in ms
 * @property {import('./config.js').RoundTrip} [roundTrip] what was measured
 */

/**
 * @param {Uint8Array} record
 * @returns {TurnState}
 */
export function readState(record) {
	const a = readRecord(record)
	return {
		phase: /** @type {Phase} */ (PHASES[a.get(ATTR_PHASE)?.u8 ?? 0] ?? 'unknown'),
		relayedAddress: a.get(ATTR_RELAYED)?.address,
		additionalAddress: a.get(ATTR_ADDITIONAL)?.address,
		mappedAddress: a.get(ATTR_MAPPED)?.address,
		lifetime: a.get(ATTR_LIFETIME)?.ms ?? 0,
		wakeAt: a.get(ATTR_WAKE_AT)?.ms,
		wakeWhy: a.get(ATTR_WAKE_WHY)?.text,
		flow: a.get(ATTR_FLOW)?.u32 ?? 0,
		rto: a.get(ATTR_RTO)?.ms ?? 0,
		roundTrip: readRoundTrip(a.get(ATTR_ROUND_TRIP)?.value),
	}
}

/**
 * The counters, under the names of package client's Stats.
 * @param {Uint8Array} bytes
 * @returns {Record<string, number>}
 */
export function readStats(bytes) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
	/** @type {Record<string, number>} */
	const stats = {}
	STATS.forEach((name, i) => {
		if (8 * i + 8 <= bytes.length) stats[name] = Number(view.getBigUint64(8 * i, true))
	})
	return stats
}
