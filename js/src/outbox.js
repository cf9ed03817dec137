// What a stream cannot take yet. It is bounded: what does not fit is dropped and
// counted, as a network would.

/** Packets that wait. */
const MAX_PACKETS = 512

/** And their bytes. */
const MAX_BYTES = 1 << 20

export class Outbox {
	#writer
	/** @type {Uint8Array[]} */
	#waiting = []
	#bytes = 0
	/** Settles when nothing waits. @type {Promise<void> | undefined} */
	#pumping
	sent = 0
	dropped = 0

	/** @param {WritableStreamDefaultWriter<Uint8Array>} writer */
	constructor(writer) {
		this.#writer = writer
		writer.closed.catch(() => {}) // whoever has to know is told by the session's end
	}

	/** Settles when the stream has taken all. */
	get drained() {
		return this.#pumping ?? Promise.resolve()
	}

	/** Takes a packet, which is ours from here on. @param {Uint8Array} packet */
	put(packet) {
		if (!this.#pumping && (this.#writer.desiredSize ?? 0) > 0) return this.#write(packet)
		if (this.#waiting.length >= MAX_PACKETS || this.#bytes + packet.length > MAX_BYTES) {
			this.dropped++
			return
		}
		this.#bytes += packet.length
		this.#waiting.push(packet)
		this.#pumping ??= this.#pump()
	}

	async #pump() {
		try {
			for (let packet; (packet = this.#waiting[0]); ) {
				await this.#writer.ready
				this.#waiting.shift()
				this.#bytes -= packet.length
				this.#write(packet)
			}
		} catch {
			this.dropped += this.#waiting.length // the stream is over
			this.#waiting.length = 0
			this.#bytes = 0
		}
		this.#pumping = undefined
	}

	/** @param {Uint8Array} packet */
	#write(packet) {
		this.sent++
		this.#writer.write(packet).catch(() => {})
	}
}
