// Payloads as their bytes.

/** @param {readonly Uint8Array[]} list */
export const sumOf = (list) => list.reduce((n, p) => n + p.length, 0)

/**
 * A payload as its bytes.
 * @param {unknown} msg
 * @returns {Uint8Array}
 */
export function bytesOf(msg) {
	if (msg instanceof Uint8Array) return msg
	if (typeof msg === 'string') return new TextEncoder().encode(msg)
	if (ArrayBuffer.isView(msg)) return new Uint8Array(msg.buffer, msg.byteOffset, msg.byteLength)
	if (!Array.isArray(msg)) throw new TypeError('a payload is a string, a Uint8Array, a DataView or a list of them')
	const parts = msg.map(bytesOf)
	const all = new Uint8Array(sumOf(parts))
	let at = 0
	for (const p of parts) {
		all.set(p, at)
		at += p.length
	}
	return all
}

/**
 * @param {Uint8Array} bytes
 * @param {number} offset
 * @param {number} length
 */
export function slice(bytes, offset, length) {
	if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) {
		throw new TypeError(`offset ${offset} and length ${length} do not lie within the ${bytes.length} bytes of the payload`)
	}
	return bytes.subarray(offset, offset + length)
}
