// Records of the control plane: type, length, value, zeros to a multiple of 4.
// The layout stands in wasm/abi/doc.go.

import { formatIP } from './address.js'

/** Longest value of an attribute. */
const MAX_VALUE = 0xffff

/** A record that is being written, straight into what it is for: no copy of a password is left on the way. */
export class RecordWriter {
	#bytes
	#view
	length = 0

	/** @param {Uint8Array} into */
	constructor(into) {
		this.#bytes = into
		this.#view = new DataView(into.buffer, into.byteOffset, into.byteLength)
	}

	/**
	 * Makes room for an attribute and answers where its value begins.
	 * @param {number} type
	 * @param {number} size
	 */
	#begin(type, size) {
		const end = this.length + 4 + ((size + 3) & ~3)
		if (size > MAX_VALUE || end > this.#bytes.length) throw new TypeError('the configuration or command is too long')
		this.#bytes.fill(0, this.length, end)
		this.#view.setUint16(this.length, type, true)
		this.#view.setUint16(this.length + 2, size, true)
		const at = this.length + 4
		this.length = end
		return at
	}

	/**
	 * @param {number} type
	 * @param {Uint8Array} value
	 */
	bytes(type, value) {
		this.#bytes.set(value, this.#begin(type, value.length))
	}

	/**
	 * @param {number} type
	 * @param {string} value
	 */
	text(type, value) {
		const size = utf8Length(value)
		const at = this.#begin(type, size)
		new TextEncoder().encodeInto(value, this.#bytes.subarray(at, at + size))
	}

	/** @param {number} type */
	flag(type) {
		this.#begin(type, 0)
	}

	/**
	 * @param {number} type
	 * @param {number} value
	 */
	u8(type, value) {
		this.#view.setUint8(this.#begin(type, 1), value)
	}

	/**
	 * @param {number} type
	 * @param {number} value
	 */
	u16(type, value) {
		this.#view.setUint16(this.#begin(type, 2), value, true)
	}

	/**
	 * @param {number} type
	 * @param {number} value
	 */
	u32(type, value) {
		this.#view.setUint32(this.#begin(type, 4), value, true)
	}

	/**
	 * A time or an instant, in ms.
	 * @param {number} type
	 * @param {number} value
	 */
	ms(type, value) {
		this.#view.setFloat64(this.#begin(type, 8), value, true)
	}

	/**
	 * @param {number} type
	 * @param {number} first
	 * @param {number} second
	 */
	twoMs(type, first, second) {
		const at = this.#begin(type, 16)
		this.#view.setFloat64(at, first, true)
		this.#view.setFloat64(at + 8, second, true)
	}

	/**
	 * @param {number} type
	 * @param {Uint8Array} ip 4 or 16 bytes
	 * @param {number} port
	 */
	address(type, ip, port) {
		const at = this.#begin(type, 4 + ip.length)
		this.#view.setUint8(at, ip.length === 4 ? 4 : 6)
		this.#view.setUint16(at + 2, port, true)
		this.#bytes.set(ip, at + 4)
	}
}

/** @param {string} text */
function utf8Length(text) {
	let n = 0
	for (const c of text) {
		const point = /** @type {number} */ (c.codePointAt(0))
		n += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
	}
	return n
}

/** An attribute that was read. */
export class Attribute {
	/**
	 * @param {number} type
	 * @param {Uint8Array} value a part of the record
	 */
	constructor(type, value) {
		this.type = type
		this.value = value
	}

	get #view() {
		return new DataView(this.value.buffer, this.value.byteOffset, this.value.byteLength)
	}

	get u8() {
		return this.#view.getUint8(0)
	}

	get u16() {
		return this.#view.getUint16(0, true)
	}

	get u32() {
		return this.#view.getUint32(0, true)
	}

	get ms() {
		return this.#view.getFloat64(0, true)
	}

	get text() {
		return new TextDecoder().decode(this.value)
	}

	/** @returns {import('./address.js').Address} */
	get address() {
		return {
			address: formatIP(this.value.subarray(4)),
			port: this.#view.getUint16(2, true),
			family: this.value[0] === 4 ? 'IPv4' : 'IPv6',
		}
	}
}

/**
 * Reads a record. The first of duplicates counts.
 * @param {Uint8Array} record
 * @returns {Map<number, Attribute>}
 */
export function readRecord(record) {
	const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
	/** @type {Map<number, Attribute>} */
	const found = new Map()
	for (let at = 0; at < record.length; ) {
		const type = view.getUint16(at, true)
		const size = view.getUint16(at + 2, true)
		if (at + 4 + size > record.length) throw new RangeError(`a record ends inside attribute ${type}`)
		if (!found.has(type)) found.set(type, new Attribute(type, record.subarray(at + 4, at + 4 + size)))
		at += 4 + ((size + 3) & ~3)
	}
	return found
}
