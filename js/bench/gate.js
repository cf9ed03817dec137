// Flow control for a sender: UDP has none, and what is lost would count for nothing.

import { Buffer } from 'node:buffer'
import { openSync, readSync } from 'node:fs'

/** Holds the sender back while as many packets as the window are under way. */
export class Gate {
	#pipe
	#most
	#words = Buffer.alloc(8 * 512)
	#acked = 0

	/** @param {import('./spec.js').Spec} spec */
	constructor(spec) {
		this.#pipe = openSync(spec.gate, 'r')
		this.#most = spec.window - spec.burst
	}

	/** @param {number} sent */
	wait(sent) {
		while (sent - this.#acked > this.#most) {
			const n = readSync(this.#pipe, this.#words)
			this.#acked = Number(this.#words.readBigUInt64BE(n - 8))
		}
	}
}
