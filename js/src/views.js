// Parts of linear memory, made once for as long as the same ones are asked for:
// a typed array costs more than a copy of what it shows.

/** Most are remembered. */
const MOST = 256

export class Views {
	/** @type {Uint8Array[]} */
	#list = []

	/**
	 * @param {number} i which of those that are good at the same time
	 * @param {Uint8Array} bytes
	 * @param {number} offset
	 * @param {number} length
	 */
	at(i, bytes, offset, length) {
		const known = this.#list[i]
		if (known?.byteOffset === bytes.byteOffset + offset && known.length === length && known.buffer === bytes.buffer) return known
		const made = bytes.subarray(offset, offset + length)
		if (i < MOST) this.#list[i] = made
		return made
	}
}
