// What is sent and checked: the same payloads as host/hosttest/benchpeers, whose
// far side compares every byte of them, as we do here.

import { Buffer } from 'node:buffer'

/** The bytes of a payload. */
export const SIZE = 1200

/** A ChannelData message's header: number and length. */
export const HEADER = 4

const WORD = 8
const STEP = 4096
const LONGEST = 1500

/** Numbers of payloads that carry nothing: they ask whether the channel stands, and end a generated stream. */
export const HELLO = -1
export const GOODBYE = -2

const pattern = makePattern(STEP + LONGEST)

/**
 * The bytes of Go's math/rand/v2 PCG(1, 2).
 * @param {number} length
 */
function makePattern(length) {
	const bytes = Buffer.alloc(length)
	const mask = (1n << 64n) - 1n
	let state = (1n << 64n) | 2n
	for (let i = 0; i < length; i++) {
		state = (state * 0x2360ed051fc65da44385df649fccf645n + 0x5851f42d4c957f2d14057b7ef767814fn) & ((1n << 128n) - 1n)
		let hi = state >> 64n
		hi ^= hi >> 32n
		hi = (hi * 0xda942042e4dd58b5n) & mask
		hi ^= hi >> 48n
		hi = (hi * ((state & mask) | 1n)) & mask
		bytes[i] = Number((hi >> 32n) & 0xffn)
	}
	return bytes
}

/**
 * Writes the payload with a number, SIZE bytes of it.
 * @param {Buffer} into
 * @param {number} at
 * @param {number} number
 */
export function fill(into, at, number) {
	const [high, low] = number >= 0 ? [number >>> 16, (number & 0xffff) << 16] : [0x80000000, -number << 16]
	into.writeUInt32BE(high, at)
	into.writeUInt32BE((low | SIZE) >>> 0, at + 4)
	const from = number >= 0 ? number % STEP : (2 ** 47 - number) % STEP
	pattern.copy(into, at + WORD, from, from + SIZE - WORD)
}

/**
 * The number of a payload from at on to the end; undefined for one of which a byte is wrong.
 * @param {Uint8Array} bytes
 * @param {number} at
 * @returns {number | undefined}
 */
export function numberOf(bytes, at) {
	const length = bytes.length - at
	if (length < WORD || length > LONGEST) return undefined
	const high = ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0
	const low = (bytes[at + 4] << 8) | bytes[at + 5]
	if (((bytes[at + 6] << 8) | bytes[at + 7]) !== length) return undefined
	const number = high === 0x80000000 ? -low : high * 65536 + low
	const from = number >= 0 ? number % STEP : (2 ** 47 - number) % STEP
	return pattern.compare(bytes, at + WORD, bytes.length, from, from + length - WORD) === 0 ? number : undefined
}

/** Counts payloads, each number once. */
export class Ledger {
	#seen = new Uint32Array(1 << 20)
	valid = 0
	bad = 0
	twice = 0

	/**
	 * @param {Uint8Array} bytes
	 * @param {number} at where the payload begins
	 * @returns {number | undefined} its number
	 */
	take(bytes, at) {
		const number = numberOf(bytes, at)
		if (number === undefined) this.bad++
		else if (number >= 0) this.#count(number)
		return number
	}

	/** @param {number} number */
	#count(number) {
		const bit = 1 << (number & 31)
		if (this.#seen[number >>> 5] & bit) this.twice++
		else this.valid++
		this.#seen[number >>> 5] |= bit
	}
}
