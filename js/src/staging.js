// Payloads that go out at the end of the turn, in one call: a part of the arena
// that is theirs alone, where equal ones to one peer lie behind each other as a
// run.

import { HEADROOM, TAILROOM } from './abi.gen.js'

/** @typedef {import('./client.js').TurnClient} TurnClient */
/** @typedef {import('./client.js').Peer} Peer */

/** Of a run: what lies between two payloads belongs to the guest. */
export const RUN_GAP = 4

/** Payloads that wait, at most: what is touched again while it is in the cache. */
const MOST = 64

/** Where a run that begins behind at has its first payload. @param {number} at */
export const startOf = (at) => ((at + TAILROOM + 7) & ~7) + HEADROOM

/** Payloads of one length from one client to one peer. */
export class Run {
	client = /** @type {TurnClient} */ (/** @type {unknown} */ (undefined))
	peer = /** @type {Peer} */ (/** @type {unknown} */ (undefined))
	offset = 0
	length = 0
	count = 0
}

export class Staging {
	#begin
	#end
	#at
	#payloads = 0
	/** Made once, used again. */
	runs = Array.from({ length: MOST }, () => new Run())
	/** How many of them are in use. */
	used = 0

	/** @param {import('./region.js').Span} span a part of the arena */
	constructor({ offset, size }) {
		this.#begin = this.#at = offset
		this.#end = offset + size
	}

	/**
	 * Takes a payload's bytes. It answers false when there is no room until the rest has gone.
	 * @param {Uint8Array} bytes the region's
	 * @param {TurnClient} client
	 * @param {Peer} peer
	 * @param {Uint8Array} payload
	 */
	put(bytes, client, peer, payload) {
		const { length } = payload
		if (this.#payloads === MOST) return false
		const last = this.runs[this.used - 1]
		const joins = this.used > 0 && last.client === client && last.peer === peer && last.length === length
		const at = joins ? this.#at + RUN_GAP : startOf(this.#at)
		if (at + length + TAILROOM > this.#end) return false
		bytes.set(payload, at)
		this.#at = at + length
		this.#payloads++
		if (joins) last.count++
		else this.#begins(client, peer, at, length)
		return true
	}

	/**
	 * @param {TurnClient} client
	 * @param {Peer} peer
	 * @param {number} offset
	 * @param {number} length
	 */
	#begins(client, peer, offset, length) {
		const run = this.runs[this.used++]
		run.client = client
		run.peer = peer
		run.offset = offset
		run.length = length
		run.count = 1
	}

	clear() {
		this.used = this.#payloads = 0
		this.#at = this.#begin
	}
}
