// Who wants to see each datagram.

/** @typedef {import('./transport.js').Transport} Transport */
/** @typedef {import('./transport.js').Platform} Platform */

/**
 * A datagram of a socket's. `data` is good until the call returns.
 * @typedef {object} TracedDatagram
 * @property {boolean} sent to the server; else received from it
 * @property {Uint8Array} data
 * @property {{address: string, port: number}} [local] our address, where it is known
 * @property {{address: string, port: number}} server
 */

/** @typedef {(datagram: TracedDatagram) => void} Trace */

/**
 * Opens transports that tell of every datagram before it is handed on.
 * @param {Platform['open']} open
 * @param {Trace} trace
 * @returns {Platform['open']}
 */
export const traced = (open, trace) => async (server, local, receiver, signal, carrier) => {
	/** @type {Transport | undefined} */
	let transport
	const tell = (/** @type {boolean} */ sent, /** @type {Uint8Array} */ data) => trace({ sent, data, local: transport?.local, server: transport?.server ?? server })
	const received = (/** @type {Uint8Array} */ data) => {
		tell(false, data)
		receiver.received(data)
	}
	transport = await open(server, local, { ...receiver, received }, signal, carrier)
	return new Traced(transport, (data) => tell(true, data))
}

/** @implements {Transport} */
class Traced {
	#to
	#tell

	/**
	 * @param {Transport} to
	 * @param {(data: Uint8Array) => void} tell
	 */
	constructor(to, tell) {
		this.#to = to
		this.#tell = tell
		this.local = to.local
		this.server = to.server
		this.ref = to.ref?.bind(to)
		this.unref = to.unref?.bind(to)
		this.flush = to.flush?.bind(to)
		this.deposit = to.deposit?.bind(to)
		this.close = to.close.bind(to)
	}

	get deposited() {
		return this.#to.deposited
	}

	get drained() {
		return this.#to.drained
	}

	get stats() {
		return this.#to.stats
	}

	/** @param {Uint8Array} data */
	send(data) {
		this.#tell(data)
		this.#to.send(data)
	}

	/** @type {NonNullable<Transport['sendRun']>} */
	sendRun(bytes, offset, length, count, stride) {
		for (let i = 0, at = offset; i < count; i++, at += stride) {
			const data = bytes.subarray(at, at + length)
			this.#tell(data)
			if (!this.#to.sendRun) this.#to.send(data)
		}
		this.#to.sendRun?.(bytes, offset, length, count, stride)
	}
}
