// What an instance has to tell, until its machine is drained.

/** @typedef {import('./address.js').Address} Address */
/** @typedef {import('./client.js').TurnClient} TurnClient */

export class Telling {
	/** @type {((() => void) | Payload)[]} */
	#waiting = []
	#busy = false

	/** Something waits to be told. */
	get waits() {
		return this.#waiting.length > 0
	}

	/** @param {() => void} f tells it */
	push(f) {
		this.#waiting.push(f)
	}

	/**
	 * The same for a payload, without a function of its own.
	 * @param {TurnClient} client
	 * @param {Uint8Array} data
	 * @param {Address} from
	 * @param {number} channel
	 * @param {number} flow
	 */
	payload(client, data, from, channel, flow) {
		this.#waiting.push(new Payload(client, data, from, channel, flow))
	}

	/** Tells what waits, in its order. Whoever is told may call the instance: what comes of it is told behind the rest. */
	tell() {
		if (this.#busy) return
		this.#busy = true
		let next = 0
		try {
			while (next < this.#waiting.length) {
				const one = this.#waiting[next++]
				if (one instanceof Payload) one.client.sink.data(one.data, one.from, one.channel, one.flow)
				else one()
			}
			this.#waiting.length = 0
		} finally {
			this.#busy = false
			if (next > 0 && this.#waiting.length > 0) {
				// A listener has thrown. The others are told none the less.
				this.#waiting.splice(0, next)
				if (this.#waiting.length > 0) queueMicrotask(() => this.tell())
			}
		}
	}
}

/** A payload that waits to be told of. */
class Payload {
	/**
	 * @param {TurnClient} client
	 * @param {Uint8Array} data
	 * @param {Address} from
	 * @param {number} channel
	 * @param {number} flow
	 */
	constructor(client, data, from, channel, flow) {
		this.client = client
		this.data = data
		this.from = from
		this.channel = channel
		this.flow = flow
	}
}
