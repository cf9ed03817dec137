// A command of a script, cut into words.

import { parseIP, formatIP } from '../../src/address.js'
import { parseDuration, unquote } from './go.js'

/** One word: KEY=VALUE, or VALUE alone. @typedef {{key: string, value: string}} Word */

/**
 * Cuts a line at its spaces, outside of quotes.
 * @param {string} line
 * @returns {Word[]}
 */
export function splitWords(line) {
	const out = []
	for (let rest = line.trim(); rest !== ''; rest = rest.replace(/^ +/, '')) {
		const key = /^([^= "]+)=/.exec(rest)?.[1] ?? ''
		if (key) rest = rest.slice(key.length + 1)
		let value
		if (rest.startsWith('"')) [value, rest] = unquote(rest)
		else {
			const end = rest.indexOf(' ')
			value = end < 0 ? rest : rest.slice(0, end)
			rest = end < 0 ? '' : rest.slice(end)
		}
		out.push({ key, value })
	}
	return out
}

/** A command's arguments. */
export class Words {
	/** @param {string} line */
	constructor(line) {
		this.list = splitWords(line)
	}

	/** The next word, which must be there and have no key. @param {string} what */
	plain(what) {
		const word = this.list.shift()
		if (!word || word.key) throw new Error(`${what} is missing`)
		return word.value
	}

	/** The word with the key, wherever it stands. @param {string} key */
	named(key) {
		const i = this.list.findIndex((w) => w.key === key)
		return i < 0 ? undefined : this.list.splice(i, 1)[0].value
	}

	/** The word without a key. @param {string} name */
	flag(name) {
		const i = this.list.findIndex((w) => w.key === '' && w.value === name)
		if (i >= 0) this.list.splice(i, 1)
		return i >= 0
	}

	/** In ns. @param {string} key */
	duration(key) {
		const v = this.named(key)
		return v === undefined ? 0 : parseDuration(v)
	}

	/** @param {string} key */
	number(key) {
		const v = this.named(key)
		if (v === undefined) return 0
		if (!Number.isInteger(Number(v))) throw new Error(`not a number: ${v}`)
		return Number(v)
	}

	/** The words that are left, in their order. */
	*rest() {
		for (let w; (w = this.list.shift()); ) yield w
	}

	done() {
		if (this.list.length > 0) throw new Error(`nobody understands ${JSON.stringify(this.list)}`)
	}
}

/**
 * An address with a port, or without one: then it is 0.
 * @param {string} text
 * @returns {{address: string, port: number}}
 */
export function parseAddress(text) {
	if (parseIP(text)) return { address: text, port: 0 }
	const found = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(text)
	const ip = found && parseIP(found[1] ?? found[2])
	if (!ip) throw new Error(`not an address: ${text}`)
	return { address: formatIP(ip), port: Number(found[3]) }
}
