import { cpuUsage } from 'node:process'

/** @typedef {import('./spec.js').Told} Told */

/** What a stretch of work costs. */
export class Meter {
	#packets = 0
	#wall = 0
	#cpu = cpuUsage()

	/** @param {number} packets so far */
	begin(packets) {
		this.#packets = packets
		this.#wall = performance.now()
		this.#cpu = cpuUsage()
	}

	/**
	 * @param {number} packets so far
	 * @param {number} total
	 * @param {number} bad
	 * @returns {Told}
	 */
	end(packets, total, bad) {
		const { user, system } = cpuUsage()
		const cpu = user + system - this.#cpu.user - this.#cpu.system
		return { packets: packets - this.#packets, total, bad, cpu, wall: performance.now() - this.#wall }
	}
}
