// The frames of a session's two streams; see host/bridge/doc.go.

/** What a page sends on the control stream. */
export const DEPOSIT = 1

/** What the bridge sends on it. */
export const WELCOME = 1
export const DEPOSITED = 2
export const DEPOSIT_REFUSED = 3
export const PATH_ERROR = 4
export const GOING_AWAY = 5

/** The largest packet that a frame can hold. */
export const MAX_PACKET = 0xffff

/**
 * A packet that is too large for a datagram: u16 length, then its bytes.
 * @param {Uint8Array} packet
 */
export function packetFrame(packet) {
	const frame = new Uint8Array(2 + packet.length)
	new DataView(frame.buffer).setUint16(0, packet.length)
	frame.set(packet, 2)
	return frame
}

/**
 * A deposit: u32 milliseconds, then the parting datagram; without one, nothing is owed any more.
 * @param {{data: Uint8Array, until: number} | undefined} parting
 * @param {number} now
 */
export function depositFrame(parting, now) {
	const length = parting ? 4 + parting.data.length : 0
	const frame = new Uint8Array(3 + length)
	const view = new DataView(frame.buffer)
	view.setUint8(0, DEPOSIT)
	view.setUint16(1, length)
	if (parting) {
		view.setUint32(3, Math.min(Math.max(Math.ceil(parting.until - now), 0), 0xffffffff))
		frame.set(parting.data, 7)
	}
	return frame
}

/** Reads a byte stream by lengths. */
export class FrameReader {
	#reader
	/** @type {Uint8Array} */
	#rest = new Uint8Array(0)

	/** @param {ReadableStream<Uint8Array>} stream */
	constructor(stream) {
		this.#reader = stream.getReader()
	}

	async packet() {
		const [high, low] = await this.take(2)
		return this.take((high << 8) | low)
	}

	async control() {
		const [type, high, low] = await this.take(3)
		return { type, value: await this.take((high << 8) | low) }
	}

	/** @param {number} n */
	async take(n) {
		const out = new Uint8Array(n)
		for (let have = 0; have < n; ) {
			if (this.#rest.length === 0) {
				const { value, done } = await this.#reader.read()
				if (done) throw new Error('the stream has ended')
				this.#rest = value
			}
			const part = this.#rest.subarray(0, n - have)
			out.set(part, have)
			have += part.length
			this.#rest = this.#rest.subarray(part.length)
		}
		return out
	}
}
