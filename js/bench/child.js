// A process of ours that obeys lines and answers lines.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** Of any child, in ms: what takes longer has lost something that it waits for. */
const LIVES = 60_000

export class Child {
	#name
	#child
	#lines
	#ended

	/**
	 * @param {string} name
	 * @param {string} command
	 * @param {readonly string[]} args
	 * @param {number} [extra] a descriptor that it finds as its number 3
	 */
	constructor(name, command, args, extra) {
		this.#name = name
		this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit', extra ?? 'ignore'], timeout: LIVES, killSignal: 'SIGKILL' })
		this.#child.stdin?.on('error', () => {}) // it has ended: its missing answer says so
		this.#ended = new Promise((resolve, reject) => this.#child.once('error', reject).once('close', (code, signal) => resolve(signal ?? code)))
		this.#ended.catch(() => {})
		this.#lines = createInterface({ input: /** @type {import('node:stream').Readable} */ (this.#child.stdout) })[Symbol.asyncIterator]()
	}

	/** @param {string} line */
	order(line) {
		this.#child.stdin?.write(`${line}\n`)
	}

	/** What it says next. @returns {Promise<string>} */
	async line() {
		const { value, done } = await this.#lines.next()
		if (done) throw new Error(`${this.#name} has ended: ${await this.#ended}`)
		return value
	}

	/** @returns {Promise<any>} */
	async answer() {
		return JSON.parse(await this.line())
	}

	/** Lets it end. */
	async end() {
		this.#child.stdin?.end()
		await this.#ended
	}
}
