// A move of the allocation to another transport, while it is under way.

/** @typedef {import('./transport.js').Transport} Transport */

export class Move {
	/** It is under way: an allocation that is lost meanwhile is replaced. */
	under = false
	/** Why it came to nothing. @type {Error | undefined} */
	failure
	#flow = 0
	/** @type {Transport | undefined} */
	#old

	begin() {
		this.under = true
	}

	/**
	 * Keeps the transport that is left. It answers the one from before that, which nobody needs any more.
	 * @param {number} flow
	 * @param {Transport} transport
	 */
	leave(flow, transport) {
		const older = this.#old
		this.#flow = flow
		this.#old = transport
		return older
	}

	/** The transport that was left, if it is the flow. @param {number} flow */
	from(flow) {
		return flow === this.#flow ? this.#old : undefined
	}

	flush() {
		this.#old?.flush?.()
	}

	/** It is over. It answers the transport that was left, to be closed. */
	end() {
		const old = this.#old
		this.under = false
		this.failure = this.#old = undefined
		return old
	}
}
