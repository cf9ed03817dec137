// A move of the allocation to another transport, while it is under way.

/** @typedef {import('./transport.js').Transport} Transport */

export class Move {
	/** It is under way: an allocation that is lost meanwhile is replaced. */
	under = false
	/** Why it came to nothing. @type {Error | undefined} */
	failure
	/** Those that were left, by flow: the allocation may be on any of them, to be released there. @type {Map<number, Transport>} */
	#left = new Map()

	begin() {
		this.under = true
	}

	/** The allocation was on its way to another transport already. */
	get unanswered() {
		return this.#left.size > 0
	}

	/** @param {number} flow @param {Transport} transport */
	leave(flow, transport) {
		this.#left.set(flow, transport)
	}

	/** The transport that was left, if it is the flow. @param {number} flow */
	from(flow) {
		return this.#left.get(flow)
	}

	flush() {
		for (const transport of this.#left.values()) transport.flush?.()
	}

	/** It is over, and what was left is closed. */
	async end() {
		const left = [...this.#left.values()]
		this.#left.clear()
		this.under = false
		this.failure = undefined
		await Promise.all(left.map((transport) => transport.close()))
	}
}
