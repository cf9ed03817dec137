// The region of linear memory that host and guest share; the layout stands in
// wasm/abi/doc.go.

import {
	DESC_ADDR, DESC_CHANNEL, DESC_CLIENT, DESC_COUNT, DESC_FAMILY, DESC_FLOW, DESC_KIND, DESC_LENGTH, DESC_OFFSET,
	DESC_PEER, DESC_PORT, DESC_SIZE, DESC_STATUS, DESC_STRIDE, DESC_TAG, HEAD_CLIENTS, HEAD_CONSUMED, HEAD_ERROR_LEN,
	HEAD_MOST, HEAD_NEXT, HEAD_PENDING, HEADER_SIZE, HEADROOM, MAGIC, TAILROOM, VERSION,
} from './abi.gen.js'
import { formatIP } from './address.js'
import { TurnError } from './error.js'

/**
 * A part of the region.
 * @typedef {{offset: number, size: number}} Span
 */

export class Region {
	#memory
	#base
	#bytes = new Uint8Array(0)
	#view = new DataView(new ArrayBuffer(0))

	/**
	 * @param {WebAssembly.Memory} memory
	 * @param {number} base the region's address
	 */
	constructor(memory, base) {
		this.#memory = memory
		this.#base = base
		const head = new Uint32Array(16)
		const all = new DataView(memory.buffer)
		if (base < 0 || base + HEADER_SIZE > all.byteLength) throw new TurnError('module', `the module's region lies at ${base}, outside of its memory`)
		for (let i = 0; i < head.length; i++) head[i] = all.getUint32(base + 4 * i, true)
		this.size = head[2]
		/** @type {Span} */
		this.controlIn = { offset: head[4], size: head[5] }
		/** @type {Span} */
		this.controlOut = { offset: head[6], size: head[7] }
		this.ins = { offset: head[8], count: head[9] }
		this.outs = { offset: head[10], count: head[11] }
		/** @type {Span} */
		this.arena = { offset: head[12], size: head[13] }
		this.#check(head, all.byteLength)
		this.refresh()
	}

	/**
	 * @param {Uint32Array} head
	 * @param {number} have
	 */
	#check(head, have) {
		const inside = (/** @type {number} */ offset, /** @type {number} */ size) => offset >= HEADER_SIZE && offset + size <= this.size
		const bad =
			head[0] !== MAGIC ? `it begins with ${head[0].toString(16)}`
			: head[1] !== VERSION ? `it has version ${head[1]}, this host speaks ${VERSION}`
			: head[3] !== DESC_SIZE ? `descriptors of ${head[3]} bytes`
			: head[14] !== HEADROOM || head[15] !== TAILROOM ? `headroom ${head[14]}, tailroom ${head[15]}`
			: this.#base + this.size > have ? 'it is longer than the memory'
			: ![this.controlIn, this.controlOut, this.arena].every((s) => inside(s.offset, s.size)) ? 'a part lies outside'
			: ![this.ins, this.outs].every((t) => inside(t.offset, t.count * DESC_SIZE)) ? 'descriptors lie outside'
			: ''
		if (bad) throw new TurnError('module', `turn: not a region of this ABI: ${bad}`)
	}

	/** Makes the views anew after memory has grown: the old ones have no bytes any more. */
	refresh() {
		if (this.#bytes.length > 0) return
		this.#bytes = new Uint8Array(this.#memory.buffer, this.#base, this.size)
		this.#view = new DataView(this.#memory.buffer, this.#base, this.size)
	}

	/** The region's bytes, until the next call into the module. */
	get bytes() {
		return this.#bytes
	}

	/** @param {Span} span */
	part(span) {
		return this.#bytes.subarray(span.offset, span.offset + span.size)
	}

	/** The earliest deadline of all clients in ms; Infinity = none. */
	get next() {
		return this.#view.getFloat64(HEAD_NEXT, true)
	}

	get pending() {
		return this.#view.getUint32(HEAD_PENDING, true) !== 0
	}

	get consumed() {
		return this.#view.getUint32(HEAD_CONSUMED, true)
	}

	get clients() {
		return this.#view.getUint32(HEAD_CLIENTS, true)
	}

	/** @param {number} n */
	set mostClients(n) {
		this.#view.setUint32(HEAD_MOST, n, true)
	}

	/** The last error's text. */
	get errorText() {
		const length = Math.min(this.#view.getUint32(HEAD_ERROR_LEN, true), this.controlOut.size)
		return new TextDecoder().decode(this.#bytes.subarray(this.controlOut.offset, this.controlOut.offset + length))
	}

	/**
	 * Writes in-descriptor i; an inline address is set afterwards.
	 * @param {number} i
	 * @param {number} client
	 * @param {number} kind
	 * @param {number} flow
	 * @param {number} peer
	 * @param {number} offset
	 * @param {number} length
	 * @param {number} count
	 * @param {number} stride
	 */
	setIn(i, client, kind, flow, peer, offset, length, count, stride) {
		const v = this.#view
		const at = this.ins.offset + i * DESC_SIZE
		v.setInt32(at + DESC_CLIENT, client, true)
		v.setUint32(at + DESC_KIND, kind, true) // no family, no port
		v.setUint32(at + DESC_FLOW, flow, true)
		v.setUint32(at + DESC_PEER, peer, true)
		v.setUint32(at + DESC_OFFSET, offset, true)
		v.setUint32(at + DESC_LENGTH, length, true)
		v.setUint32(at + DESC_COUNT, count, true)
		v.setUint32(at + DESC_STRIDE, stride, true)
		v.setInt32(at + DESC_STATUS, 0, true)
		v.setUint32(at + DESC_TAG, i, true)
		v.setUint32(at + DESC_TAG + 4, 0, true)
	}

	/**
	 * @param {number} i
	 * @param {Uint8Array} ip
	 * @param {number} port
	 */
	setInAddress(i, ip, port) {
		const at = this.ins.offset + i * DESC_SIZE
		this.#view.setUint8(at + DESC_FAMILY, ip.length === 4 ? 4 : 6)
		this.#view.setUint16(at + DESC_PORT, port, true)
		this.#bytes.set(ip, at + DESC_ADDR)
	}

	/** @param {number} i */
	statusOf(i) {
		return this.#view.getInt32(this.ins.offset + i * DESC_SIZE + DESC_STATUS, true)
	}

	/** @param {number} i */
	clientOf(i) {
		return this.#view.getInt32(this.ins.offset + i * DESC_SIZE + DESC_CLIENT, true)
	}

	/** @param {number} i */
	countOf(i) {
		return this.#view.getUint32(this.ins.offset + i * DESC_SIZE + DESC_COUNT, true)
	}

	/**
	 * Moves in-descriptors to the front, the first of them that are done with left out.
	 * @param {number} done
	 * @param {number} n
	 */
	shiftIns(done, n) {
		const from = this.ins.offset
		this.#bytes.copyWithin(from, from + done * DESC_SIZE, from + n * DESC_SIZE)
	}

	/**
	 * Reads out-descriptor i.
	 * @param {number} i
	 * @param {OutDesc} into
	 */
	readOut(i, into) {
		const v = this.#view
		const at = this.outs.offset + i * DESC_SIZE
		into.at = at
		into.client = v.getInt32(at + DESC_CLIENT, true)
		into.kind = v.getUint8(at + DESC_KIND)
		into.flow = v.getUint32(at + DESC_FLOW, true)
		into.peer = v.getUint32(at + DESC_PEER, true)
		into.offset = v.getUint32(at + DESC_OFFSET, true)
		into.length = v.getUint32(at + DESC_LENGTH, true)
		into.count = v.getUint32(at + DESC_COUNT, true) || 1
		into.stride = v.getUint32(at + DESC_STRIDE, true)
		into.channel = v.getUint32(at + DESC_CHANNEL, true)
		into.tag = v.getUint32(at + DESC_TAG, true)
		return into.offset + (into.count - 1) * into.stride + into.length <= this.size
	}

	/**
	 * The inline address of an out-descriptor that was read.
	 * @param {OutDesc} d
	 * @returns {import('./address.js').Address | undefined}
	 */
	addressOf(d) {
		const family = this.#view.getUint8(d.at + DESC_FAMILY)
		if (family === 0) return undefined
		const from = d.at + DESC_ADDR
		return {
			address: formatIP(this.#bytes.subarray(from, from + (family === 4 ? 4 : 16))),
			port: this.#view.getUint16(d.at + DESC_PORT, true),
			family: family === 4 ? 'IPv4' : 'IPv6',
		}
	}

	/**
	 * The tag of a parting: the instant to which the server may hold the allocation, in ms.
	 * @param {OutDesc} d
	 */
	instantOf(d) {
		return this.#view.getFloat64(d.at + DESC_TAG, true)
	}
}

/** An out-descriptor, read into the same object each time. */
export class OutDesc {
	at = 0
	client = 0
	kind = 0
	flow = 0
	peer = 0
	offset = 0
	length = 0
	count = 0
	stride = 0
	channel = 0
	tag = 0
}
