// Echoes: payloads with a number and the time, which a peer sends back.

/** A payload that has not come back after so long is lost. */
const LOST_AFTER = 2000

const HEADER = 12

export class Echoes {
	sent = 0
	received = 0
	lost = 0
	bytesSent = 0
	bytesReceived = 0
	/** The newest round-trip times, in ms. @type {number[]} */
	times = []
	/** Is called with each round-trip time. @type {(ms: number) => void} */
	onecho = () => {}
	/** When each was sent that has not come back. @type {Map<number, number>} */
	#waiting = new Map()
	#next = 0
	#run = crypto.getRandomValues(new Uint32Array(1))[0]
	#wake = () => {}

	/** @param {import('turnwasm/web').TurnSocket} socket @param {{address: string, port: number}} peer */
	constructor(socket, peer) {
		this.socket = socket
		this.peer = peer
		socket.on('message', (data) => this.#came(data))
	}

	/** Echoes on their way. */
	get waiting() {
		return this.#waiting.size
	}

	/** A channel to the peer: 4 bytes a payload instead of 36, and the server lets its payloads in. */
	async open() {
		await this.socket.bindChannel(this.peer.port, this.peer.address)
	}

	/**
	 * Sends payloads, so many a second, and settles when each has come back or is lost.
	 * @param {number} count
	 * @param {number} perSecond
	 * @param {number} size
	 */
	async paced(count, perSecond, size) {
		const began = performance.now()
		for (let i = 0; i < count && this.#alive; ) {
			const due = Math.min(count, Math.ceil(((performance.now() - began) * perSecond) / 1000))
			for (; i < due; i++) this.#send(size)
			await this.#pause(1000 / perSecond)
		}
		while (this.waiting > 0 && this.#alive) await this.#pause(50)
	}

	/**
	 * As fast as they come back: so many are on their way at any time.
	 * @param {number} ms
	 * @param {number} window
	 * @param {number} size
	 */
	async fullSpeed(ms, window, size) {
		const end = performance.now() + ms
		while (performance.now() < end && this.#alive) {
			while (this.waiting < window) this.#send(size)
			await this.socket.drained
			await this.#pause(20)
		}
		while (this.waiting > 0 && this.#alive) await this.#pause(50)
	}

	/** The time within which this part of the newest echoes came back. @param {number} part */
	within(part) {
		const sorted = this.times.toSorted((a, b) => a - b)
		return sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)]
	}

	get #alive() {
		return this.socket.phase === 'allocated'
	}

	/** @param {number} size */
	#send(size) {
		const payload = new Uint8Array(Math.max(size, HEADER))
		const view = new DataView(payload.buffer)
		const n = this.#next++
		view.setUint32(0, this.#run)
		view.setUint32(4, n)
		this.#waiting.set(n, performance.now())
		this.sent++
		this.bytesSent += payload.length
		this.socket.send(payload, this.peer.port, this.peer.address)
	}

	/** @param {Uint8Array} data */
	#came(data) {
		const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
		if (data.length < HEADER || view.getUint32(0) !== this.#run) return
		const n = view.getUint32(4)
		const at = this.#waiting.get(n)
		if (at === undefined) return // twice, or after we gave it up
		this.#waiting.delete(n)
		const ms = performance.now() - at
		this.received++
		this.bytesReceived += data.length
		this.times.push(ms)
		if (this.times.length > 1000) this.times.shift()
		this.onecho(ms)
		this.#wake()
	}

	/** Waits, for an echo or so long. @param {number} ms */
	async #pause(ms) {
		await new Promise((resolve) => {
			const timer = setTimeout(resolve, ms)
			this.#wake = () => {
				clearTimeout(timer)
				resolve(undefined)
			}
		})
		const late = performance.now() - LOST_AFTER
		for (const [n, at] of this.#waiting) {
			if (at > late) break // they stand in the order in which they were sent
			this.#waiting.delete(n)
			this.lost++
		}
	}
}
