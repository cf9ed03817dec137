// The ten functions of WASI that the module imports: a random source, clocks
// that stand still, and a standard error of which the end is kept. The machine
// takes its time as an argument and reaches no file and no socket.

const SUCCESS = 0
const EBADF = 8
const EIO = 29

/** Most bytes of the standard error that are kept. */
const TAIL = 4096

/** What crypto.getRandomValues gives at once. */
const QUOTA = 65536

/** Thrown by proc_exit: the guest has given up. */
export class Exit extends Error {
	/** @param {number} status */
	constructor(status) {
		super(`exit status ${status}`)
	}
}

/** A guest's surroundings. */
export class Wasi {
	/** @type {WebAssembly.Memory | undefined} */
	#memory
	/** The last bytes of the standard error: Go's word on a fatal fault is there and nowhere else. */
	#tail = new Uint8Array(0)

	/** @param {WebAssembly.Memory} memory */
	attach(memory) {
		this.#memory = memory
	}

	/** The end of what was written to the standard error. */
	get output() {
		return new TextDecoder().decode(this.#tail)
	}

	get #view() {
		return new DataView(/** @type {WebAssembly.Memory} */ (this.#memory).buffer)
	}

	get imports() {
		return {
			wasi_snapshot_preview1: {
				args_get: () => SUCCESS,
				args_sizes_get: this.#nothing,
				environ_get: () => SUCCESS,
				environ_sizes_get: this.#nothing,
				clock_time_get: this.#clock,
				fd_write: this.#write,
				poll_oneoff: this.#poll,
				proc_exit: exit,
				random_get: this.#random,
				sched_yield: () => SUCCESS,
			},
		}
	}

	/** @type {(count: number, size: number) => number} */
	#nothing = (count, size) => {
		this.#view.setUint32(count, 0, true)
		this.#view.setUint32(size, 0, true)
		return SUCCESS
	}

	/** @type {(id: number, precision: bigint, at: number) => number} */
	#clock = (_id, _precision, at) => {
		// Go's own runtime asks, for its collector and scheduler.
		this.#view.setBigUint64(at, BigInt(Math.round(performance.now() * 1e6)), true)
		return SUCCESS
	}

	/** @type {(at: number, length: number) => number} */
	#random = (at, length) => {
		const bytes = new Uint8Array(/** @type {WebAssembly.Memory} */ (this.#memory).buffer, at, length)
		try {
			for (let i = 0; i < length; i += QUOTA) crypto.getRandomValues(bytes.subarray(i, i + QUOTA))
		} catch {
			return EIO // the machine answers a code, and no client is made
		}
		return SUCCESS
	}

	/** @type {(fd: number, vectors: number, count: number, written: number) => number} */
	#write = (fd, vectors, count, written) => {
		if (fd !== 1 && fd !== 2) return EBADF
		const view = this.#view
		let total = 0
		for (let i = 0; i < count; i++) {
			const at = view.getUint32(vectors + 8 * i, true)
			const length = view.getUint32(vectors + 8 * i + 4, true)
			if (fd === 2) this.#keep(new Uint8Array(view.buffer, at, length))
			total += length
		}
		view.setUint32(written, total, true)
		return SUCCESS
	}

	/** @param {Uint8Array} bytes */
	#keep(bytes) {
		const all = new Uint8Array(this.#tail.length + bytes.length)
		all.set(this.#tail)
		all.set(bytes, this.#tail.length)
		this.#tail = all.slice(-TAIL)
	}

	/**
	 * Go's runtime polls its clock at every collection, and dies of an error: so
	 * each subscription has come to pass at once.
	 * @type {(subscriptions: number, events: number, count: number, stored: number) => number}
	 */
	#poll = (subscriptions, events, count, stored) => {
		const view = this.#view
		for (let i = 0; i < count; i++) {
			const from = subscriptions + 48 * i
			const to = events + 32 * i
			new Uint8Array(view.buffer, to, 32).fill(0)
			view.setBigUint64(to, view.getBigUint64(from, true), true) // userdata
			view.setUint8(to + 10, view.getUint8(from + 8)) // type
		}
		view.setUint32(stored, count, true)
		return SUCCESS
	}
}

/** @type {(status: number) => never} */
const exit = (status) => {
	throw new Exit(status)
}
