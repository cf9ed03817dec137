// Datagrams that have come in one turn of the event loop, for all sockets of an
// instance: they go in by one call.

/** @typedef {import('./client.js').TurnClient} TurnClient */

/** Datagrams that come so soon after each other, in ms, are of one burst. */
const SOON = 0.05

/** Datagrams that go in at once after one has waited in vain. */
const AT_ONCE = 32

/** Datagrams that wait, at most. */
const MOST = 64

/** How a runtime calls us at the end of the turn in which it reads sockets; a browser cannot. */
const { setImmediate } = globalThis

export class Inbox {
	#deliver
	/** They come in bursts: wait for the rest of one. */
	#bursts = false
	#last = 0
	#atOnce = 0
	/** @type {Uint8Array[]} */
	#datagrams = []
	/** @type {TurnClient[]} */
	#clients = []
	/** @type {number[]} */
	#flows = []

	/** @param {(datagrams: readonly Uint8Array[], clients: readonly TurnClient[], flows: readonly number[]) => void} deliver */
	constructor(deliver) {
		this.#deliver = deliver
	}

	/**
	 * Whether a datagram is better kept until the end of the turn.
	 * @param {() => number} clock
	 */
	waits(clock) {
		if (this.#bursts || !setImmediate) return this.#bursts
		if (this.#atOnce > 0) {
			this.#atOnce--
			return false
		}
		const now = clock()
		this.#bursts = now - this.#last < SOON
		this.#last = now
		return this.#bursts
	}

	/**
	 * @param {TurnClient} client
	 * @param {number} flow
	 * @param {Uint8Array} datagram
	 */
	put(client, flow, datagram) {
		const n = this.#datagrams.push(datagram)
		this.#clients.push(client)
		this.#flows.push(flow)
		if (n === 1) setImmediate(this.#flush)
		if (n === MOST) this.hand()
	}

	/** The end of the turn. One that came alone says that the bursts are over. */
	#flush = () => {
		if (this.#datagrams.length === 1) {
			this.#bursts = false
			this.#atOnce = AT_ONCE
		}
		this.hand()
	}

	/** Hands on what waits. */
	hand() {
		if (this.#datagrams.length === 0) return
		const [datagrams, clients, flows] = [this.#datagrams, this.#clients, this.#flows]
		this.#datagrams = []
		this.#clients = []
		this.#flows = []
		this.#deliver(datagrams, clients, flows)
	}
}
